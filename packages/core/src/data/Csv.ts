/**
 * Data sets from CSV files, plain or gzipped, read as a stream.
 */
import { Effect, type FileSystem, Result, Stream } from "effect"
import * as Columns from "./Columns.ts"
import { DataInvalid } from "./DataInvalid.ts"
import type { Dataset, Task } from "./Dataset.ts"
import * as Labels from "./Labels.ts"
import * as Records from "./Records.ts"
import * as Table from "./Table.ts"

/** How a file is read. */
export interface Options {
  /** The label's column, the last one by default. */
  readonly label?: string | undefined
  /** Two distinct labels make `binary` and more make `classes`, unless this says otherwise. */
  readonly task?: Task | undefined
}

/** How a file is read in parts. */
export interface StreamOptions extends Options {
  /** The classes in order, where they are known; learned by a first pass over the file otherwise. */
  readonly classNames?: ReadonlyArray<string> | undefined
  /** The examples of a part, 1,024 by default; the last part may have fewer. */
  readonly rows?: number | undefined
}

const rowsByDefault = 1024

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
  yield* Stream.runDrain(Records.feed(path, builder))
  return yield* Labels.toDataset(yield* Effect.fromResult(builder.finish()), options.task)
})

/** The inputs in a CSV file, [rows, names]: its columns `names` in that order, or all of its columns. Fails as `read` does. */
export const inputs = Effect.fn("Csv.inputs")(function* (path: string, names?: ReadonlyArray<string>) {
  const builder = Columns.builder(path, names)
  yield* Stream.runDrain(Records.feed(path, builder))
  return yield* Effect.fromResult(builder.finish())
})

/** The names of the classes in a CSV file, in order: one pass over it, in memory that does not grow with it. Fails as `read` does. */
export const classNames = Effect.fn("Csv.classNames")(function* (path: string, options: Options = {}) {
  const found = Labels.tally()
  yield* Stream.runForEach(tables(path, options), (table) => found.add(table, options.task))
  return (yield* found.finish(options.task)).names
})

/**
 * The data set in a CSV file part by part, in the file's order, each part with all of the columns and classes: for files larger than
 * memory, of which it holds one part and a piece of the file. Each run reads the file, and unless classes are given or the task is
 * regression it reads it once before to learn them, which finds every fault before the first part comes. Fails as `read` does, and
 * where a label is none of the classes given.
 *
 * ```ts
 * import { Csv, Dataset } from "@rai/core"
 * import { Effect, FileSystem, Stream } from "effect"
 *
 * const files = FileSystem.layerNoop({
 *   stat: () => Effect.succeed({ type: "File" } as FileSystem.File.Info),
 *   stream: () => Stream.make(new TextEncoder().encode("height,label\n1.5,cat\n2.5,dog\n3.5,dog\n"))
 * })
 * const parts = Csv.stream("animals.csv", { rows: 2 }).pipe(Stream.map(Dataset.examples), Stream.runCollect)
 * await Effect.runPromise(parts.pipe(Effect.provide(files))) // => [2, 1]
 * ```
 */
export const stream = (
  path: string,
  options: StreamOptions = {}
): Stream.Stream<Dataset, DataInvalid, FileSystem.FileSystem> => Stream.unwrap(parts(path, options))

const parts = Effect.fnUntraced(function* (path: string, options: StreamOptions) {
  const { task, rows = rowsByDefault } = options
  if (!Number.isInteger(rows) || rows < 1) {
    const expected = "a whole number of examples, at least 1"
    const advice = `give for instance ${rowsByDefault}`
    return yield* new DataInvalid({ source: path, setting: "rows", expected, came: `${rows} came`, advice })
  }
  if (task === "regression") {
    return Stream.mapEffect(tables(path, options), (table) => Labels.toDataset(table, task))
  }
  const names = options.classNames ?? (yield* classNames(path, options))
  const classes = Labels.known(names)
  return Stream.mapEffect(tables(path, options), (table) => Labels.classified(table, classes, task))
})

/** The file as tables of at most `rows` rows, none of them empty. */
const tables = (path: string, { label, rows = rowsByDefault }: StreamOptions) =>
  Stream.suspend(() => {
    const builder = Table.builder(path, label, rows)
    const rest = Stream.suspend(() =>
      Result.match(builder.finish(), {
        onFailure: Stream.fail,
        onSuccess: (table) => (table.labels.length === 0 ? Stream.empty : Stream.succeed(table))
      })
    )
    return Records.feed(path, builder).pipe(
      Stream.flatMap(() => Stream.fromIterable(builder.drain())),
      Stream.concat(rest)
    )
  })
