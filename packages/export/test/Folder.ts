/**
 * A separate folder for each test, removed afterwards.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"

export const make = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "rai-export-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true }))
)
