/**
 * The published packages as tarballs, as pnpm packs them: `publishConfig` applied, `workspace:*` replaced by versions.
 */
import { spawnSync } from "node:child_process"
import { readFileSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import * as Command from "./Command.ts"
import { all, type Package, root } from "./Package.ts"

/** A package and its tarball. */
export interface Packed {
  readonly name: string
  readonly file: string
  readonly bytes: number
}

/** Runs the pnpm version that this repository pins: from the PATH, else fetched by npx. */
export const pnpm = (args: ReadonlyArray<string>, cwd: string, env: NodeJS.ProcessEnv = {}): string => {
  const wanted: string = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager
  const ignoring = { ...env, pnpm_config_pm_on_fail: "ignore" }
  const own = spawnSync("pnpm", ["--version"], { cwd: tmpdir(), encoding: "utf8" }).stdout?.trim()
  return `pnpm@${own}` === wanted
    ? Command.run("pnpm", args, cwd, ignoring)
    : Command.run("npx", ["--yes", wanted, ...args], cwd, ignoring)
}

/** Packs packages into a folder, which builds them first. */
export const pack = (folder: string, packages: ReadonlyArray<Package> = all()): ReadonlyArray<Packed> =>
  packages.map((each) => {
    const said = pnpm(["pack", "--pack-destination", folder], each.folder)
    const file = join(folder, basename(said.trimEnd().split("\n").at(-1)!))
    return { name: each.name, file, bytes: statSync(file).size }
  })
