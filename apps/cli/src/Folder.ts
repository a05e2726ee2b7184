/**
 * Folders that commands write into.
 */
import { Effect, FileSystem, Path, type PlatformError } from "effect"
import { CommandFailed } from "./CommandFailed.ts"
import * as SystemRefusal from "./SystemRefusal.ts"

/** Fails with `CommandFailed` where the folder is not empty (partial files of a crash do not count). */
export const vacant = Effect.fn("Folder.vacant")(function* (folder: string, advice = "name another") {
  const fs = yield* FileSystem.FileSystem
  if (!(yield* Effect.mapError(fs.exists(folder), unmakable(folder)))) return
  const isFolder = (yield* fs.stat(folder)).type === "Directory"
  if (isFolder && (yield* fs.readDirectory(folder)).every((entry) => entry.endsWith(".part"))) return
  return yield* new CommandFailed({
    expected: "--out to name an empty folder or none yet",
    came: isFolder ? `${folder} holds files` : `${folder} is a file`,
    advice: isFolder ? advice : "name another"
  })
})

/** Makes the folder where there is none yet; fails with `CommandFailed` where it cannot be made or written to. */
export const make = Effect.fn("Folder.make")(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  // Folder by folder: Node's recursive mkdir never ends where the system reports an existing parent as missing.
  const made = (of: string): Effect.Effect<void, PlatformError.PlatformError> =>
    Effect.flatMap(fs.exists(of), (isThere) =>
      isThere ? Effect.void : Effect.andThen(made(path.dirname(of)), makeOne(of))
    )
  // Another process may have made it meanwhile.
  const makeOne = (of: string) =>
    Effect.catchIf(
      fs.makeDirectory(of),
      ({ reason }) => reason._tag === "AlreadyExists",
      () => Effect.void
    )
  // The slash makes the system refuse a file.
  const written = Effect.andThen(made(path.resolve(folder)), fs.access(`${folder}/`, { writable: true }))
  yield* Effect.mapError(written, unmakable(folder))
})

const unmakable = (folder: string) => (error: PlatformError.PlatformError) =>
  new CommandFailed({
    expected: "a folder that can be made and written to",
    came: `«${folder}» cannot (${SystemRefusal.why(error)})`,
    advice: "name another"
  })
