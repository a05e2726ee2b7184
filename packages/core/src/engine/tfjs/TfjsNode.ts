/**
 * Where tfjs-node lies: among a project's packages, or in the cache, where set-up puts it for all projects of a user. A dependency it is not: its
 * install script downloads, and breaks the installation of whatever depends on it where that host cannot be reached.
 */
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { Effect, FileSystem, Path } from "effect"
import * as Cache from "./Cache.ts"
import * as Tool from "./Tool.ts"

const require = createRequire(import.meta.url)

/** The version that set-up fetches. */
const version = "4.22.0"

const own = Effect.try(() => require.resolve("@tensorflow/tfjs-node/package.json"))

const home = Effect.map(Cache.folder, (folder) => join(folder, `tfjs-node-${version}`)).pipe(Effect.provide(Path.layer))

const kept = Effect.map(home, (folder) => join(folder, "node_modules", "@tensorflow", "tfjs-node", "package.json"))

/** Its native half, which is there once set-up has completed it. */
export const addon = (manifest: string): string => join(dirname(manifest), "lib", "napi-v8", "tfjs_binding.node")

/** The package.json of the one that is complete, the project's own first; else of the one that set-up would complete; else nothing. */
export const find: Effect.Effect<string | undefined> = Effect.gen(function* () {
  const places = yield* Effect.all([Effect.orElseSucceed(own, () => ""), Effect.orElseSucceed(kept, () => "")])
  const there = places.filter((manifest) => existsSync(manifest))
  return there.find((manifest) => existsSync(addon(manifest))) ?? there[0]
})

/** Fetches it into the cache with npm, as this machine has it configured; its install script does not run. */
export const fetch = Effect.fn("TfjsNode.fetch")(function* (npm: string) {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* home
  const part = `${folder}.part`
  yield* fs.remove(part, { recursive: true, force: true })
  yield* fs.makeDirectory(part, { recursive: true })
  yield* fs.writeFileString(join(part, "package.json"), `{ "private": true }\n`)
  const quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
  const args = ["install", "--prefix", part, "--ignore-scripts", ...quiet, `@tensorflow/tfjs-node@${version}`]
  yield* Tool.run(npm, args, { cwd: part })
  yield* fs.remove(folder, { recursive: true, force: true })
  yield* fs.rename(part, folder)
  return yield* kept
})
