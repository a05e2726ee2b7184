/**
 * A user's empty project, into which the packages are installed.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import * as Command from "./Command.ts"
import { root } from "./Package.ts"
import * as Packed from "./Packed.ts"

/** The package manager of a project. */
export type Manager = "npm" | "pnpm"

/** The compiler's module resolutions, each with its module setting. */
const resolutions = { node16: "node16", nodenext: "nodenext", bundler: "esnext" } as const

/** Creates a project with the packages, their peer dependencies and a compiler. */
export const make = (
  folder: string,
  manager: Manager,
  node: string,
  packages: ReadonlyArray<Packed.Packed>,
  others: ReadonlyArray<string>
): void => {
  mkdirSync(folder, { recursive: true })
  // Dependencies on packages that are not published yet resolve to their tarballs, too.
  const overrides = Object.fromEntries(packages.map(({ file, name }) => [name, `file:${file}`]))
  const manifest = { name: "mine", private: true, type: "module" }
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest))
  if (manager === "pnpm") writeFileSync(join(folder, "pnpm-workspace.yaml"), JSON.stringify({ overrides }))
  const wanted = [...packages.map(({ file }) => file), ...others]
  const path = [dirname(node), process.env.PATH].join(delimiter)
  if (manager === "npm") Command.run("npm", ["install", "--no-audit", "--no-fund", ...wanted], folder, { PATH: path })
  else Packed.pnpm(["add", ...wanted], folder, { PATH: path })
}

/** Compiles a project's files under each module resolution; throws where the compiler reports anything. */
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
 * Writes a module that re-exports every function and value of the packages one by one, as another library might: its declarations compile only if
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

/** Returns the first example on a page of this repository. */
export const example = (page: string): string =>
  /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, page), "utf8"))![1]!
