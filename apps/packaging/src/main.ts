/**
 * Builds the package in this folder, as `pnpm pack` asks; all of them where this folder is none.
 */
import * as Build from "./Build.ts"
import * as Package from "./Package.ts"

const packages = Package.all()
const here = packages.filter(({ folder }) => folder === process.cwd())
for (const each of here.length > 0 ? here : packages) await Build.build(each)
