/**
 * A JSON file and the safetensors file it names, replaced atomically: the arrays are written under a new name, then the JSON that points to them is
 * renamed into place, so that a crash leaves either the old pair or the new one.
 */
import { Data, Effect, FileSystem, Path, type Schema, Stream } from "effect"
import { type PlatformError, systemError } from "effect/PlatformError"
import type { Arrays } from "../engine/Engine.ts"
import * as Pieces from "./Pieces.ts"
import * as Safetensors from "./Safetensors.ts"
import * as Sha256 from "./Sha256.ts"

/** A saved run or circuit that cannot be used. */
export class ArchiveInvalid extends Data.TaggedError("ArchiveInvalid")<{
  readonly file: string
  readonly expected: string
  readonly came: string
  readonly advice: string
}> {
  override get message(): string {
    return `${this.file}: expected ${this.expected}, but ${this.came}; ${this.advice}`
  }
}

/** A kind of archive: its file name without extension, its format's version, and the schema of its JSON content. */
export interface Kind<A> {
  readonly name: string
  readonly version: number
  /** Imported only when an archive is read. */
  readonly schema: Effect.Effect<Schema.Codec<A, unknown>>
}

/** Writes the pair to `folder`, creating it if needed, and removes the arrays of earlier pairs, complete or not. */
export const write = Effect.fn("Archive.write")(function* <A>(
  kind: Kind<A>,
  folder: string,
  content: A,
  arrays: Arrays
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const bytes = Safetensors.encode(arrays)
  const sha256 = Sha256.hex(bytes)
  const file = `${kind.name}-${sha256.slice(0, 12)}.safetensors`
  const envelope = { format: `rai-${kind.name}`, version: kind.version, arrays: { file, sha256 }, content }
  yield* fs.makeDirectory(folder, { recursive: true })
  yield* replace(path.join(folder, file), bytes)
  yield* replace(
    path.join(folder, `${kind.name}.json`),
    new TextEncoder().encode(`${JSON.stringify(envelope, undefined, 2)}\n`)
  )
  // Includes what a run killed while writing left behind.
  const stale = (yield* fs.readDirectory(folder)).filter(
    (entry) => entry.startsWith(`${kind.name}-`) && /\.safetensors(\.part)?$/.test(entry) && entry !== file
  )
  yield* Effect.forEach(stale, (entry) => fs.remove(path.join(folder, entry)))
})

/** Writes a temporary file, then renames it into place; on failure nothing is left behind. */
export const replace = (file: string, bytes: Uint8Array): Effect.Effect<void, PlatformError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => {
    const part = `${file}.part`
    return Stream.run(Stream.fromIterable(Pieces.of(bytes)), fs.sink(part)).pipe(
      Effect.andThen(fs.rename(part, file)),
      Effect.onError(() => Effect.ignore(fs.remove(part))),
      Effect.mapError(at(part))
    )
  })

/** Adds the file's path to an error that carries only a file descriptor. */
const at =
  (pathOrDescriptor: string) =>
  (error: PlatformError): PlatformError =>
    error.reason._tag === "BadArgument"
      ? error
      : systemError({ ...error.reason, cause: error.reason.cause, pathOrDescriptor })

/** Reads a file of any length. */
const whole = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const { size } = yield* fs.stat(file)
  const bytes = new Uint8Array(Number(size))
  let at = 0
  yield* Stream.runForEach(fs.stream(file, { bytesToRead: size }), (piece) =>
    Effect.sync(() => {
      bytes.set(piece, at)
      at += piece.length
    })
  )
  return bytes.subarray(0, at)
})

/** Reads the pair in `folder`; fails with `ArchiveInvalid` where format, version, content or hash do not match. */
export const read = Effect.fn("Archive.read")(function* <A>(kind: Kind<A>, folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(folder, `${kind.name}.json`)
  const invalid = (came: string, advice: string, expected = `a ${kind.name} of format version ${kind.version}`) =>
    new ArchiveInvalid({ file, expected, came, advice })
  const text = yield* Effect.mapError(fs.readFileString(file), () =>
    invalid(
      "there is no such file",
      "name a folder in which `rai train --out` has ended; one that was interrupted goes on with --resume"
    )
  )
  const { decode, head } = yield* Effect.promise(() => import("../schema/Envelope.ts"))
  const { format, version } = yield* Effect.mapError(head(text), () =>
    invalid("it is not whole JSON of that kind", "train again into an empty folder")
  )
  if (format !== `rai-${kind.name}` || version !== kind.version) {
    return yield* invalid(
      `${format} of version ${version} came`,
      "use the version of this program that wrote it, or train again"
    )
  }
  const found = yield* Effect.mapError(decode(text, yield* kind.schema), (error) =>
    invalid(`its content differs (${error.message.split("\n")[0]})`, "train again into an empty folder")
  )
  const bytes = yield* Effect.mapError(whole(path.join(folder, path.basename(found.arrays.file))), () =>
    invalid(`${found.arrays.file} is missing`, "train again into an empty folder")
  )
  if (Sha256.hex(bytes) !== found.arrays.sha256) {
    return yield* invalid(
      "it is cut short or changed",
      "train again into an empty folder",
      `${found.arrays.file} as it was written`
    )
  }
  const arrays = yield* Effect.mapError(Safetensors.decode(bytes), (error) =>
    invalid(error.reason, "train again into an empty folder")
  )
  return { content: found.content, arrays }
})
