/**
 * Bytes of a file, plain or gzipped, as a stream: what it begins with tells which.
 */
import { Effect, FileSystem, PlatformError, Sink, Stream } from "effect"
import { DataInvalid } from "./DataInvalid.ts"

/** Streams the bytes of a file; fails if it does not exist, cannot be read, or its gzip is damaged or none though its name ends in .gz. `kind` appears in advice. */
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
  const [magic, rest] = yield* Stream.peel(
    Stream.mapError(bytes, (error) => unreadable(path, error)),
    firstTwo
  )
  const whole = Stream.concat(Stream.make(magic), rest)
  if (magic[0] === 0x1f && magic[1] === 0x8b) return gunzip(path, whole)
  if (!path.toLowerCase().endsWith(".gz")) return whole
  const shown = Array.from(magic.subarray(0, 2), (byte) => byte.toString(16).padStart(2, "0")).join(" ")
  return yield* new DataInvalid({
    source: path,
    expected: "a gzip file, which begins 1f 8b, as its name says",
    came: shown === "" ? "it is empty" : `${shown} came`,
    advice: "take .gz off its name if it is plain, or download it again"
  })
})

/** The first chunk, or as many as hold two bytes. */
const firstTwo = Sink.reduceWhile(
  (): Uint8Array => new Uint8Array(0),
  (bytes) => bytes.length < 2,
  (bytes, chunk: Uint8Array) => (bytes.length === 0 ? chunk : Uint8Array.of(...bytes, ...chunk))
)

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
const gunzip = (source: string, bytes: Stream.Stream<Uint8Array, DataInvalid>) =>
  Effect.gen(function* () {
    const [{ pipeline, Readable }, { createGunzip }] = yield* Effect.promise(() =>
      Promise.all([import("node:stream"), import("node:zlib")])
    )
    const whole = yield* Effect.acquireRelease(
      Effect.sync(() => pipeline(Readable.fromWeb(Stream.toReadableStream(bytes)), createGunzip(), () => {})),
      (stream) => Effect.sync(() => stream.destroy()) // an iterator waiting for bytes would not end by itself
    )
    return Stream.fromAsyncIterable<Uint8Array, DataInvalid>(whole, (cause) => {
      if (cause instanceof DataInvalid) return cause
      const came = `it is cut short or damaged (${cause instanceof Error ? cause.message : String(cause)})`
      const advice = "copy or download the file again"
      return new DataInvalid({ source, expected: "a whole gzip file", came, advice })
    })
  }).pipe(Stream.unwrap)
