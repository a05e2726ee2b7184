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

/**
 * A module that exports each function and value of packages anew, by itself, as a library of somebody's might: its declarations compile only if
 * every type in theirs can be named.
 */
export const anew = (folder: string, node: string, packages: ReadonlyArray<string>): string => {
  const file = join(folder, "names.mjs")
  writeFileSync(
    file,
    `const isClass = (value) => typeof value === "function" && /^class\\b/.test(String(value))
    const values = (of) => Object.keys(of).filter((name) => /^[A-Za-z]\\w*$/.test(name) && !isClass(of[name]))
    const isNamespace = (value) => value?.[Symbol.toStringTag] === "Module"
    const found = []
    for (const name of ${JSON.stringify(packages)}) {
      const all = await import(name)
      for (const key of values(all)) {
        const own = isNamespace(all[key]) ? values(all[key]).map((each) => [key, each]) : [[key]]
        found.push(...own.map((path) => [name, ...path]))
      }
    }
    process.stdout.write(JSON.stringify(found))`
  )
  const found: ReadonlyArray<readonly [name: string, ...path: ReadonlyArray<string>]> = JSON.parse(
    Command.run(node, [file], folder)
  )
  return [
    ...packages.map((name, i) => `import * as package${i} from "${name}"`),
    ...found.map(([name, ...path], i) => `export const value${i} = package${packages.indexOf(name)}.${path.join(".")}`)
  ].join("\n")
}

/** The first example of a page of this repository. */
export const example = (page: string): string =>
  /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, page), "utf8"))![1]!
