/**
 * Data sets from CSV files, plain or gzipped, read as a stream.
 */
import { Effect, FileSystem, Option, PlatformError, Stream } from "effect"
import * as Columns from "./Columns.ts"
import { DataInvalid, quote } from "./DataInvalid.ts"
import type { Task } from "./Dataset.ts"
import * as Labels from "./Labels.ts"
import * as Table from "./Table.ts"

/** How a file is read. */
export interface Options {
  /** The label's column, the last one by default. */
  readonly label?: string | undefined
  /** Two distinct labels make `binary` and more make `classes`, unless this says otherwise. */
  readonly task?: Task | undefined
}

/** The longest record, in characters; a quote left open would otherwise swallow the file. */
const longestRecord = 10_000_000

/**
 * The data set in a CSV file (gzipped if its name ends in .gz): a header line, then one example a line, numbers in every column but
 * the label's. Classes are numbered in order of their names. Fails with the line and column at fault.
 *
 * ```ts
 * import { Csv } from "@rai/core"
 * import { Effect, FileSystem, Stream } from "effect"
 *
 * const files = FileSystem.layerNoop({
 *   stat: () => Effect.succeed({ type: "File" } as FileSystem.File.Info),
 *   stream: () => Stream.make(new TextEncoder().encode("height,label\n1.5,cat\n2.5,dog\n"))
 * })
 * const data = await Effect.runPromise(Csv.read("animals.csv").pipe(Effect.provide(files)))
 * data.classNames // => ["cat", "dog"]
 * ```
 */
export const read = Effect.fn("Csv.read")(function* (path: string, options: Options = {}) {
  const builder = Table.builder(path, options.label)
  yield* feed(path, builder)
  return yield* Labels.toDataset(yield* Effect.fromResult(builder.finish()), options.task)
})

/** The inputs in a CSV file, [rows, names]: its columns `names` in that order, or all of its columns. Fails as `read` does. */
export const inputs = Effect.fn("Csv.inputs")(function* (path: string, names?: ReadonlyArray<string>) {
  const builder = Columns.builder(path, names)
  yield* feed(path, builder)
  return yield* Effect.fromResult(builder.finish())
})

const feed = Effect.fnUntraced(function* (path: string, builder: Pick<Table.Builder, "add">) {
  const fs = yield* FileSystem.FileSystem
  const { type } = yield* fs.stat(path).pipe(Effect.mapError((error) => unreadable(path, error)))
  if (type === "Directory") {
    const advice = "give the path of a .csv or .csv.gz file"
    return yield* new DataInvalid({ source: path, expected: "a file", came: "this is a folder", advice })
  }
  const bytes = fs.stream(path)
  yield* parse(path, builder, path.toLowerCase().endsWith(".gz") ? gunzip(path, bytes) : bytes)
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

/** Feeds each record of the bytes to the builder, and stops at the first that it refuses. */
const parse = Effect.fnUntraced(function* (
  source: string,
  builder: Pick<Table.Builder, "add">,
  bytes: Stream.Stream<Uint8Array, PlatformError.PlatformError | DataInvalid>
) {
  const csv = yield* Effect.promise(() => import("csv-parse")) // here, so that importing this module stays cheap
  let refused = Option.none<DataInvalid>()
  let line = 0
  const parser = csv.parse({
    bom: true,
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true, // the builder counts cells, and says more
    record_delimiter: ["\r\n", "\n", "\r"],
    max_record_size: longestRecord,
    on_record: (record: ReadonlyArray<string>, { lines }) => {
      if (Option.isNone(refused)) refused = builder.add(record, lines)
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
  yield* bytes.pipe(
    Stream.runForEach((chunk) => settle((callback) => parser.write(chunk, callback))),
    Effect.catchTag("PlatformError", (error) => Effect.fail(unreadable(source, error)))
  )
  yield* settle((callback) => parser.end(callback))
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
