/**
 * A model and the record beside it, as files.
 */
import { createHash, randomUUID } from "node:crypto"
import { realpathSync, renameSync } from "node:fs"
import { readFile, rm, stat, writeFile } from "node:fs/promises"
import { dirname, isAbsolute, join, resolve, sep } from "node:path"
import { Effect, Schema } from "effect"

/** A file that is not there, or that may not be read. */
export class FileUnreadable extends Schema.TaggedError<FileUnreadable>()("FileUnreadable", {
  file: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.file}: expected a file to read, but ${this.reason}; check the path`
  }
}

/** A file that could not be written; what stood there before is as it was. */
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

/** The bytes of a file. */
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

/** Where a file that a model names lies: beside `file` or below, links followed, and nowhere else; undefined where it is not there. */
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

/** Writes all the files beside their places and then renames them, in order; a failure leaves no part behind, and of two writers at once one wins whole. */
export const write = Effect.fn("ModelFile.write")(function* (
  files: ReadonlyArray<{ readonly file: string; readonly content: Uint8Array | string }>
): Effect.fn.Return<void, FileUnwritable> {
  const own = randomUUID()
  const part = (file: string) => `${file}.${own}.part`
  const unwritable = (file: string) => (error: unknown) => {
    const said = reason(error)
    return new FileUnwritable({ file, reason: said === reasons.ENOENT ? "its folder is not there" : said })
  }
  yield* Effect.gen(function* () {
    for (const { content, file } of files) {
      yield* Effect.tryPromise({ try: () => writeFile(part(file), content), catch: unwritable(file) })
    }
    // Without a pause, so that no other writer's file comes between them.
    for (const { file } of files) {
      yield* Effect.try({ try: () => renameSync(part(file), file), catch: unwritable(file) })
    }
  }).pipe(
    Effect.onError(() =>
      Effect.forEach(files, ({ file }) =>
        Effect.promise(() => rm(part(file), { force: true })).pipe(Effect.ignoreCause)
      )
    )
  )
})

/** SHA-256 of bytes or text, in hexadecimal. */
export const sha256 = (...parts: ReadonlyArray<Uint8Array | string>): string => {
  const hash = createHash("sha256")
  for (const part of parts) hash.update(part)
  return hash.digest("hex")
}
