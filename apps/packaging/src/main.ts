/**
 * Builds the package in the current folder, as `pnpm pack` requires; all packages where the current folder is not one.
 */
import * as Build from "./Build.ts"
import * as Package from "./Package.ts"

const packages = Package.all()
const here = packages.filter(({ folder }) => folder === process.cwd())
for (const each of here.length > 0 ? here : packages) await Build.build(each)
