/**
 * The published packages as tarballs, as pnpm packs them: `publishConfig` applied, `workspace:*` replaced by versions.
 */
import { readFileSync, statSync } from "node:fs"
import { basename, join } from "node:path"
import * as Command from "./Command.ts"
import { all, type Package, root } from "./Package.ts"

/** A package and its tarball. */
export interface Packed {
  readonly name: string
  readonly file: string
  readonly bytes: number
}

/** The pnpm that this repository pins, called through npx. */
export const pnpm = (args: ReadonlyArray<string>, cwd: string, env: NodeJS.ProcessEnv = {}): string => {
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  return Command.run("npx", ["--yes", packageManager, ...args], cwd, { ...env, pnpm_config_pm_on_fail: "ignore" })
}

/** Builds and packs packages into a folder. */
export const pack = (folder: string, packages: ReadonlyArray<Package> = all()): ReadonlyArray<Packed> =>
  packages.map((each) => {
    const said = pnpm(["pack", "--pack-destination", folder], each.folder)
    const file = join(folder, basename(said.trimEnd().split("\n").at(-1)!))
    return { name: each.name, file, bytes: statSync(file).size }
  })
