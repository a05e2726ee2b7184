/**
 * Bytes of a file, plain or gzipped (if its name ends in .gz), as a stream.
 */
import { Effect, FileSystem, PlatformError, Stream } from "effect"
import { DataInvalid } from "./DataInvalid.ts"

/** Streams the bytes of a file; fails if it does not exist, cannot be read, or its gzip is damaged. `kind` appears in advice. */
export const stream = (
  path: string,
  kind = ".csv or .csv.gz"
): Stream.Stream<Uint8Array, DataInvalid, FileSystem.FileSystem> => Stream.unwrap(open(path, kind))

const open = Effect.fnUntraced(function* (path: string, kind: string) {
  const fs = yield* FileSystem.FileSystem
  const { type } = yield* fs.stat(path).pipe(Effect.mapError((error) => unreadable(path, error)))
  if (type === "Directory") {
    const advice = `give the path of a ${kind} file`
    return yield* new DataInvalid({ source: path, expected: "a file", came: "this is a folder", advice })
  }
  const bytes = type === "File" ? fs.stream(path) : piped(path)
  return path.toLowerCase().endsWith(".gz")
    ? gunzip(path, bytes)
    : Stream.mapError(bytes, (error) => unreadable(path, error))
})

const unreadable = (source: string, { reason }: PlatformError.PlatformError): DataInvalid => {
  const came =
    { NotFound: "there is none at this path", PermissionDenied: "reading it is not permitted" }[
      reason._tag as string
    ] ?? `reading it failed (${reason.message})`
  return new DataInvalid({ source, expected: "a file", came, advice: "check the path" })
}

/** Reads a pipe or the like, which has no offsets to read at, as `fs.stream` requires. */
const piped = (path: string): Stream.Stream<Uint8Array, PlatformError.PlatformError> =>
  Effect.gen(function* () {
    const { createReadStream } = yield* Effect.promise(() => import("node:fs"))
    // Stdin may be a socket, which cannot be opened by path.
    const readable = path === "/dev/stdin" ? process.stdin : createReadStream(path)
    return Stream.fromAsyncIterable<Uint8Array, PlatformError.PlatformError>(readable, (cause) =>
      PlatformError.systemError({ _tag: "Unknown", module: "Bytes", method: "piped", pathOrDescriptor: path, cause })
    )
  }).pipe(Stream.unwrap)

// Not the web's DecompressionStream, which rejects gzip files with several members.
const gunzip = (source: string, bytes: Stream.Stream<Uint8Array, PlatformError.PlatformError>) =>
  Effect.gen(function* () {
    const [{ pipeline, Readable }, { createGunzip }] = yield* Effect.promise(() =>
      Promise.all([import("node:stream"), import("node:zlib")])
    )
    const whole = yield* Effect.acquireRelease(
      Effect.sync(() => pipeline(Readable.fromWeb(Stream.toReadableStream(bytes)), createGunzip(), () => {})),
      (stream) => Effect.sync(() => stream.destroy()) // an iterator waiting for bytes would not end by itself
    )
    return Stream.fromAsyncIterable<Uint8Array, DataInvalid>(whole, (cause) => {
      if (PlatformError.isPlatformError(cause)) return unreadable(source, cause)
      const came = `it is cut short or damaged (${cause instanceof Error ? cause.message : String(cause)})`
      const advice = "copy or download the file again"
      return new DataInvalid({ source, expected: "a whole gzip file", came, advice })
    })
  }).pipe(Stream.unwrap)
