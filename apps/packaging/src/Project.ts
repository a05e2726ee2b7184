/**
 * An empty project of somebody else's, into which packages are installed.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import * as Command from "./Command.ts"
import { root } from "./Package.ts"
import * as Packed from "./Packed.ts"

/** What a project is installed with. */
export type Manager = "npm" | "pnpm"

/** Ways in which compilers resolve modules, each with its kind of module. */
const resolutions = { node16: "node16", nodenext: "nodenext", bundler: "esnext" } as const

/** An empty project with the packages, what they say they need beside them, and a compiler. */
export const make = (
  folder: string,
  manager: Manager,
  node: string,
  packages: ReadonlyArray<Packed.Packed>,
  others: ReadonlyArray<string>
): void => {
  mkdirSync(folder, { recursive: true })
  // A package that is not published yet is looked for among the tarballs, wherever it is asked for.
  const overrides = Object.fromEntries(packages.map(({ file, name }) => [name, `file:${file}`]))
  const manifest = { name: "mine", private: true, type: "module" }
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest))
  if (manager === "pnpm") writeFileSync(join(folder, "pnpm-workspace.yaml"), JSON.stringify({ overrides }))
  const wanted = [...packages.map(({ file }) => file), ...others]
  const path = [dirname(node), process.env.PATH].join(delimiter)
  if (manager === "npm") Command.run("npm", ["install", "--no-audit", "--no-fund", ...wanted], folder, { PATH: path })
  else Packed.pnpm(["add", ...wanted], folder, { PATH: path })
}

/** Compiles a project's files in each way; any word of the compiler's is an error. */
export const compile = (folder: string, node: string, files: ReadonlyArray<string>): void => {
  for (const [moduleResolution, module] of Object.entries(resolutions)) {
    const compilerOptions = {
      ...{ module, moduleResolution, target: "es2024", types: ["node"] },
      ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, declaration: true, noEmit: true }
    }
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }))
    Command.run(node, [join("node_modules", "typescript", "bin", "tsc")], folder)
  }
}

/** The first example of a page of this repository. */
export const example = (page: string): string =>
  /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, page), "utf8"))![1]!
