/**
 * Which of our own C++ sources the native half of tfjs-node was compiled from.
 */
import { createHash } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"

/** Keeps signals away from libtensorflow; a part of the addon. */
export const signals = fileURLToPath(new URL("signals.cc", import.meta.url))

/** Silences libtensorflow; an addon of its own. */
export const quiet = fileURLToPath(new URL("quiet.cc", import.meta.url))

/** Identifies these sources: what was compiled from others is compiled again. */
export const current: Effect.Effect<string> = Effect.sync(() => {
  const hash = createHash("sha256")
  for (const file of [signals, quiet]) hash.update(readFileSync(file))
  return hash.digest("hex").slice(0, 8)
})

/** Path of the outcome of the last installation, beside the package.json of tfjs-node. */
export const record = (manifest: string): string => join(dirname(manifest), "deps", "native-library.json")

/** Whether an earlier set-up compiled what is there, from other sources; not where tfjs-node's own installer was at work. */
export const isOutdated = (manifest: string): Effect.Effect<boolean> =>
  Effect.map(current, (revision) => {
    const file = record(manifest)
    if (!existsSync(file)) return false
    const { _tag, source, revision: compiled } = JSON.parse(readFileSync(file, "utf8"))
    return _tag === "Installed" && source === "wheel" && compiled !== revision
  }).pipe(Effect.catchDefect(() => Effect.succeed(false))) // a record cut short
