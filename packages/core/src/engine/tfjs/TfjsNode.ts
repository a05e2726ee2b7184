/**
 * Where tfjs-node is: among a project's packages, or in the cache, where setup puts it for all projects of a user. It is not a dependency: its
 * install script downloads a library, which breaks the installation of every dependent where that host cannot be reached.
 */
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { Effect, FileSystem, Path } from "effect"
import * as Cache from "./Cache.ts"
import * as Tool from "./Tool.ts"

const require = createRequire(import.meta.url)

/** The version that setup downloads. */
const version = "4.22.0"

const own = Effect.try(() => require.resolve("@tensorflow/tfjs-node/package.json"))

const home = Effect.map(Cache.folder, (folder) => join(folder, `tfjs-node-${version}`)).pipe(Effect.provide(Path.layer))

const kept = Effect.map(home, (folder) => join(folder, "node_modules", "@tensorflow", "tfjs-node", "package.json"))

/** Path of its native half, which exists once setup has completed it. */
export const addon = (manifest: string): string => join(dirname(manifest), "lib", "napi-v8", "tfjs_binding.node")

/** The package.json of a complete tfjs-node, the project's own first; else of the one that setup would complete; else undefined. */
export const find: Effect.Effect<string | undefined> = Effect.gen(function* () {
  const places = yield* Effect.all([Effect.orElseSucceed(own, () => ""), Effect.orElseSucceed(kept, () => "")])
  const there = places.filter((manifest) => existsSync(manifest))
  return there.find((manifest) => existsSync(addon(manifest))) ?? there[0]
})

/** Installs it into the cache with npm as configured on this machine, without running its install script. */
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
