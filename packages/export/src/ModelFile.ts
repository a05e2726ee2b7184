/**
 * A model and the record beside it, as files.
 */
import { createHash } from "node:crypto"
import { readFile, rename, rm, writeFile } from "node:fs/promises"
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

/** Writes all the files beside their places and then renames them, in order; a failure leaves no part behind. */
export const write = Effect.fn("ModelFile.write")(function* (
  files: ReadonlyArray<{ readonly file: string; readonly content: Uint8Array | string }>
): Effect.fn.Return<void, FileUnwritable> {
  const part = (file: string) => `${file}.part`
  const attempt = (file: string, f: () => Promise<void>) =>
    Effect.tryPromise({
      try: f,
      catch: (error) => {
        const said = reason(error)
        return new FileUnwritable({ file, reason: said === reasons.ENOENT ? "its folder is not there" : said })
      }
    })
  yield* Effect.gen(function* () {
    for (const { content, file } of files) yield* attempt(file, () => writeFile(part(file), content))
    for (const { file } of files) yield* attempt(file, () => rename(part(file), file))
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
