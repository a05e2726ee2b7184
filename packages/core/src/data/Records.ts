/**
 * Records of a CSV file, plain or gzipped, passed on while the file is read.
 */
import { Effect, type FileSystem, Option, Stream } from "effect"
import * as Bytes from "./Bytes.ts"
import { DataInvalid, quote } from "./DataInvalid.ts"
import type * as Table from "./Table.ts"

/** A consumer of records, which reports what is wrong with one. */
export type Taker = Pick<Table.Builder, "add" | "read">

/** Maximum length of a record in characters; without it an unclosed quote would swallow the file. */
const longestRecord = 10_000_000

/** Passes each record of the file to `taker` and emits after each chunk of the file; fails at the first record that `taker` refuses. */
export const feed = (path: string, taker: Taker): Stream.Stream<void, DataInvalid, FileSystem.FileSystem> =>
  Stream.unwrap(parse(path, taker, Bytes.stream(path)))

const parse = Effect.fnUntraced(function* (
  source: string,
  taker: Taker,
  bytes: Stream.Stream<Uint8Array, DataInvalid, FileSystem.FileSystem>
) {
  const csv = yield* Effect.promise(() => import("csv-parse")) // here, so that importing this module stays cheap
  let refused = Option.none<DataInvalid>()
  let line = 0
  const parser = csv.parse({
    bom: true,
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true, // the taker counts cells and gives better errors
    record_delimiter: ["\r\n", "\n", "\r"],
    max_record_size: longestRecord,
    on_record: (record: ReadonlyArray<string>, { lines }) => {
      if (Option.isNone(refused)) {
        const wrong = taker.add(record, lines)
        refused = Option.orElse(garbled(source, taker.read(), record, lines), () => wrong)
      }
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
    Stream.mapEffect((chunk) => settle((callback) => parser.write(chunk, callback))),
    Stream.concat(Stream.fromEffect(settle((callback) => parser.end(callback))))
  )
})

/**
 * Detects text in another encoding, in a cell that is read or, in a header of which none is, in any cell: different words, and so classes, would
 * become the same.
 */
const garbled = (
  source: string,
  read: ReadonlyArray<number>,
  record: ReadonlyArray<string>,
  line: number
): Option.Option<DataInvalid> => {
  const cells = read.length === 0 ? record : read.map((at) => record[at])
  const text = cells.find((cell) => cell?.includes("\uFFFD"))
  if (text === undefined) return Option.none()
  const came = `${quote(text)} holds bytes that are none`
  return Option.some(
    new DataInvalid({ source, line, expected: "text in UTF-8", came, advice: "save the file as UTF-8" })
  )
}

/** `line` is where the faulty record begins. */
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
