/**
 * The records of a CSV file, plain or gzipped, handed on as the file is read.
 */
import { Effect, FileSystem, Option, PlatformError, Stream } from "effect"
import { DataInvalid, quote } from "./DataInvalid.ts"
import type * as Table from "./Table.ts"

/** What takes records, and says what is wrong with one. */
export type Taker = Pick<Table.Builder, "add">

/** The longest record, in characters; a quote left open would otherwise swallow the file. */
const longestRecord = 10_000_000

/** Hands each record of the file to `taker` and tells after each piece of the file; fails at the first record that it refuses. */
export const feed = (path: string, taker: Taker): Stream.Stream<void, DataInvalid, FileSystem.FileSystem> =>
  Stream.unwrap(open(path, taker))

const open = Effect.fnUntraced(function* (path: string, taker: Taker) {
  const fs = yield* FileSystem.FileSystem
  const { type } = yield* fs.stat(path).pipe(Effect.mapError((error) => unreadable(path, error)))
  if (type === "Directory") {
    const advice = "give the path of a .csv or .csv.gz file"
    return yield* new DataInvalid({ source: path, expected: "a file", came: "this is a folder", advice })
  }
  const bytes = fs.stream(path)
  return yield* parse(path, taker, path.toLowerCase().endsWith(".gz") ? gunzip(path, bytes) : bytes)
})

const unreadable = (source: string, { reason }: PlatformError.PlatformError): DataInvalid => {
  const came =
    { NotFound: "there is none at this path", PermissionDenied: "reading it is not permitted" }[
      reason._tag as string
    ] ?? `reading it failed (${reason.message})`
  return new DataInvalid({ source, expected: "a file", came, advice: "check the path" })
}

// Not the web's DecompressionStream, which refuses files of several members.
const gunzip = (source: string, bytes: Stream.Stream<Uint8Array, PlatformError.PlatformError>) =>
  Effect.gen(function* () {
    const [{ pipeline, Readable }, { createGunzip }] = yield* Effect.promise(() =>
      Promise.all([import("node:stream"), import("node:zlib")])
    )
    const whole = yield* Effect.acquireRelease(
      Effect.sync(() => pipeline(Readable.fromWeb(Stream.toReadableStream(bytes)), createGunzip(), () => {})),
      (stream) => Effect.sync(() => stream.destroy()) // an iterator that waits for bytes would not end by itself
    )
    return Stream.fromAsyncIterable<Uint8Array, DataInvalid>(whole, (cause) => {
      if (PlatformError.isPlatformError(cause)) return unreadable(source, cause)
      const came = `it is cut short or damaged (${cause instanceof Error ? cause.message : String(cause)})`
      const advice = "copy or download the file again"
      return new DataInvalid({ source, expected: "a whole gzip file", came, advice })
    })
  }).pipe(Stream.unwrap)

const parse = Effect.fnUntraced(function* (
  source: string,
  taker: Taker,
  bytes: Stream.Stream<Uint8Array, PlatformError.PlatformError | DataInvalid>
) {
  const csv = yield* Effect.promise(() => import("csv-parse")) // here, so that importing this module stays cheap
  let refused = Option.none<DataInvalid>()
  let line = 0
  const parser = csv.parse({
    bom: true,
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true, // the taker counts cells, and says more
    record_delimiter: ["\r\n", "\n", "\r"],
    max_record_size: longestRecord,
    on_record: (record: ReadonlyArray<string>, { lines }) => {
      if (Option.isNone(refused)) refused = taker.add(record, lines)
      line = lines
      return null // keeps nothing in the parser
    }
  })
  parser.on("error", () => {}) // each write's callback reports it
  const settle = (write: (callback: (error?: Error | null) => void) => unknown) =>
    Effect.callback<void, DataInvalid>((resume) => {
      write((error) => {
        if (Option.isSome(refused)) resume(Effect.fail(refused.value))
        else if (error instanceof csv.CsvError) resume(Effect.fail(malformed(source, error.code, line + 1)))
        else resume(error ? Effect.die(error) : Effect.void)
      })
    })
  return bytes.pipe(
    Stream.mapError((error) => (error._tag === "PlatformError" ? unreadable(source, error) : error)),
    Stream.mapEffect((chunk) => settle((callback) => parser.write(chunk, callback))),
    Stream.concat(Stream.fromEffect(settle((callback) => parser.end(callback))))
  )
})

/** `line` is where the record at fault begins. */
const malformed = (source: string, code: string, line: number): DataInvalid => {
  const came =
    {
      CSV_QUOTE_NOT_CLOSED: "a quote is opened and never closed",
      INVALID_OPENING_QUOTE: "a quote stands inside an unquoted cell",
      CSV_INVALID_CLOSING_QUOTE: "text follows a closing quote",
      CSV_MAX_RECORD_SIZE: "a record does not end"
    }[code] ?? `the parser says ${quote(code)}`
  const advice = "close every quote, and write a quote inside a quoted cell twice"
  return new DataInvalid({ source, line, expected: "well-formed CSV", came, advice })
}
