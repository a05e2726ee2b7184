/**
 * A model and the record beside it, as files.
 */
import { createHash, randomUUID } from "node:crypto"
import { createReadStream, realpathSync, renameSync, rmSync } from "node:fs"
import { readFile, rm, stat, writeFile } from "node:fs/promises"
import { dirname, isAbsolute, join, resolve, sep } from "node:path"
import { Effect, Schema, type Scope, Stream } from "effect"

/** A file that is not there, or that may not be read. */
export class FileUnreadable extends Schema.TaggedError<FileUnreadable>()("FileUnreadable", {
  file: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.file}: expected a file to read, but ${this.reason}; check the path`
  }
}

/** A file that could not be written; what was there before is unchanged. */
export class FileUnwritable extends Schema.TaggedError<FileUnwritable>()("FileUnwritable", {
  file: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.file}: expected to write this file, but ${this.reason}; choose a folder that exists and may be written`
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "it is not there",
  ENOTDIR: "its folder is a file",
  EISDIR: "a folder stands there",
  EACCES: "permission is denied",
  EROFS: "the disk is read-only",
  ENOSPC: "the disk is full"
}

const reason = (error: unknown): string => {
  const code = (error as { readonly code?: string }).code ?? "unknown"
  return reasons[code] ?? `the system answered ${code}`
}

/** Reads the bytes of a file. */
export const read = (file: string): Effect.Effect<Uint8Array, FileUnreadable> =>
  Effect.tryPromise({
    try: () => readFile(file),
    catch: (error) => new FileUnreadable({ file, reason: reason(error) })
  })

/** The file `name` in `path` where that is a folder, else `path` itself. */
export const within = (path: string, name: string): Effect.Effect<string> =>
  Effect.tryPromise(() => stat(path)).pipe(
    Effect.map((at) => (at.isDirectory() ? join(path, name) : path)),
    Effect.orElseSucceed(() => path)
  )

/**
 * Resolves the path of a file that a model refers to, following links: beside `file` or below, else `"outside"`; undefined where it does not exist.
 */
export const beside = (file: string, location: string): string | "outside" | undefined => {
  if (location === "" || isAbsolute(location) || location.split(/[\\/]/).includes("..")) return "outside"
  try {
    const folder = realpathSync(dirname(file))
    const path = realpathSync(resolve(folder, location))
    return path.startsWith(`${folder}${folder.endsWith(sep) ? "" : sep}`) ? path : "outside"
  } catch {
    return undefined
  }
}

/** A complete file that waits beside its place. */
export interface Staged {
  readonly file: string
  readonly part: string
}

/** Writes a file beside its place; unless `settle` moves it there, it is removed when the scope closes. */
export const stage = Effect.fn("ModelFile.stage")(function* (
  file: string,
  content: Uint8Array | string | Iterable<Uint8Array>
): Effect.fn.Return<Staged, FileUnwritable, Scope.Scope> {
  const part = `${file}.${randomUUID()}.part`
  yield* Effect.addFinalizer(() => Effect.ignoreCause(Effect.promise(() => rm(part, { force: true }))))
  yield* Effect.tryPromise({
    try: (signal) => writeFile(part, content, { signal, flush: true }),
    catch: (error) => unwritable(file, error)
  })
  return { file, part }
})

/**
 * Moves files to their places, in order and without a pause, so that of two concurrent writers one wins as a whole; then removes the `stale` files.
 */
export const settle = (
  files: ReadonlyArray<Staged>,
  stale: ReadonlyArray<string> = []
): Effect.Effect<void, FileUnwritable> =>
  Effect.suspend(() => {
    let place = ""
    const rename = (): void => {
      for (const { file, part } of files) {
        place = file
        renameSync(part, file)
      }
      for (const file of stale) rmSync(file, { force: true })
    }
    return Effect.try({ try: rename, catch: (error) => unwritable(place, error) })
  })

const unwritable = (file: string, error: unknown): FileUnwritable => {
  const said = reason(error)
  return new FileUnwritable({ file, reason: said === reasons.ENOENT ? "its folder is not there" : said })
}

/** SHA-256 of a file of any length, in hexadecimal. */
export const sha256Of = (file: string): Effect.Effect<string, FileUnreadable> =>
  Effect.suspend(() => {
    const hash = createHash("sha256")
    const read = Stream.fromAsyncIterable(
      createReadStream(file, { highWaterMark: 2 ** 20 }),
      (error) => new FileUnreadable({ file, reason: reason(error) })
    )
    return Effect.map(
      Stream.runForEach(read, (piece: Uint8Array) => Effect.sync(() => hash.update(piece))),
      () => hash.digest("hex")
    )
  })
