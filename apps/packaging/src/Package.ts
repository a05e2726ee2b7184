/**
 * The published packages of this repository: those that are not private.
 */
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** The root folder of the repository. */
export const root = fileURLToPath(new URL("../../..", import.meta.url))

/** A published package. */
export interface Package {
  readonly folder: string
  readonly name: string
  /** The modules to build, those that others may import or run: `index` stands for `src/index.ts`. */
  readonly entries: ReadonlyArray<string>
  /** The specifiers that others import, such as `@rai/core/native`; empty for a package that only has a command. */
  readonly imports: ReadonlyArray<string>
}

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly publishConfig?: {
    readonly exports?: Readonly<Record<string, string | { readonly default?: string }>>
    readonly bin?: Readonly<Record<string, string>>
  }
}

const manifest = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))

/** Reads the package in a folder, as its `publishConfig` describes it. */
export const read = (folder: string): Package => {
  const { name, publishConfig = {} } = manifest(folder)
  const exported = Object.values(publishConfig.exports ?? {}).map((to) =>
    typeof to === "string" ? to : (to.default ?? "")
  )
  const entries = [...exported, ...Object.values(publishConfig.bin ?? {})]
  return {
    folder,
    name,
    entries: entries.flatMap((file) => /^\.\/dist\/(.*)\.js$/.exec(file)?.[1] ?? []),
    imports: Object.keys(publishConfig.exports ?? {}).flatMap((key) =>
      key.includes("*") || key === "./package.json" ? [] : name + key.slice(1)
    )
  }
}

/** Returns every published package of the workspace, sorted by name. */
export const all = (): ReadonlyArray<Package> =>
  globSync("{packages,apps}/*/package.json", { cwd: root })
    .map((file) => join(root, file, ".."))
    .filter((folder) => manifest(folder).private !== true)
    .map(read)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
