/**
 * Data sets from CSV files, plain or gzipped, read as a stream.
 */
import { Effect, type FileSystem, Result, Stream } from "effect"
import * as Columns from "./Columns.ts"
import type { DataInvalid } from "./DataInvalid.ts"
import type { Dataset } from "./Dataset.ts"
import * as Frame from "./Frame.ts"
import * as Labels from "./Labels.ts"
import * as Names from "./Names.ts"
import * as PartSize from "./PartSize.ts"
import * as Preprocessing from "./Preprocessing.ts"
import * as Records from "./Records.ts"
import * as Table from "./Table.ts"

/** How a file is read. */
export interface FrameOptions extends Table.Options {
  /** The classes in order, where they are known; else those that come in the file. */
  readonly classNames?: ReadonlyArray<string> | undefined
}

/** How a file is read, and what is learned from its columns. */
export interface Options extends FrameOptions, Preprocessing.Rules {}

/** What a first pass over a file finds out. */
export interface Learned {
  /** The classes in order; none for `regression`. */
  readonly classNames?: ReadonlyArray<string> | undefined
  readonly preprocessing: Preprocessing.Preprocessing
}

/** How a file is read in parts. */
export interface StreamOptions extends Options {
  /** What is done to the columns, where it is known; learned by that pass otherwise. */
  readonly preprocessing?: Preprocessing.Preprocessing | undefined
  /** The examples of a part, 1,024 by default; the last part may have fewer. */
  readonly rows?: number | undefined
}

/**
 * The examples in a CSV file (gzipped if its name ends in .gz), with nothing learned from them yet: a header line, then one example a
 * line, numbers in every column but the label's and those of categories. Classes are numbered in order of their names. A cell is missing
 * where pandas says so: empty, NA, nan and the like. Fails with the line and column at fault.
 */
export const frame = Effect.fn("Csv.frame")(function* (path: string, options: FrameOptions = {}) {
  const builder = Table.builder(path, options)
  yield* Stream.runDrain(Records.feed(path, builder))
  const table = yield* Effect.fromResult(builder.finish())
  const { classNames, task } = options
  return yield* classNames === undefined || task === "regression"
    ? Labels.toFrame(table, task)
    : Labels.classified(table, Names.known(classNames), task)
})

/**
 * The data set in a CSV file, read as `frame` does, with preprocessing by the rules given learned from all of it; where a part of the
 * file is kept aside, divide a `frame` first.
 *
 * ```ts
 * import { Csv } from "@rai/core"
 * import { Effect, FileSystem, Stream } from "effect"
 *
 * const files = FileSystem.layerNoop({
 *   stat: () => Effect.succeed({ type: "File" } as FileSystem.File.Info),
 *   stream: () => Stream.make(new TextEncoder().encode("height,colour,label\n1.5,red,cat\n2.5,grey,dog\n"))
 * })
 * const read = Csv.read("animals.csv", { categorical: ["colour"] }).pipe(Effect.provide(files))
 * const data = await Effect.runPromise(read)
 * data.classNames // => ["cat", "dog"]
 * data.inputNames // => ["height", "colour=grey", "colour=red"]
 * ```
 */
export const read = Effect.fn("Csv.read")(function* (path: string, options: Options = {}) {
  const raw = yield* frame(path, options)
  return yield* Frame.toDataset(raw, yield* Preprocessing.fit(raw, options))
})

/** The inputs in a CSV file as they are: its columns `names` in that order, or all of its columns. Fails as `frame` does. */
export const inputs = Effect.fn("Csv.inputs")(function* (path: string, options: Columns.Options = {}) {
  const builder = Columns.builder(path, options)
  yield* Stream.runDrain(Records.feed(path, builder))
  return yield* Effect.fromResult(builder.finish())
})

/**
 * The classes in a CSV file and the preprocessing that the rules ask for: one pass over it, in memory that does not grow with it. Fails
 * as `frame` does, and for the rule `median`, which needs all values at once.
 */
export const learn = Effect.fn("Csv.learn")(function* (path: string, options: Options = {}) {
  const found = Labels.tally()
  const columns = yield* Preprocessing.inParts(path, options)
  const values = options.task === "regression"
  yield* Stream.runForEach(tables(path, options), (table) =>
    Effect.andThen(values ? Effect.void : found.add(table, options.task), columns.add(Labels.cells(table)))
  )
  const preprocessing = yield* columns.finish
  const learned: Learned = values
    ? { preprocessing }
    : { classNames: (yield* found.finish(options.task)).names, preprocessing }
  return learned
})

/**
 * The data set in a CSV file part by part, in the file's order, each part with all of the columns and classes: for files larger than
 * memory, of which it holds one part and a piece of the file. Each run reads the file, and unless what `learn` finds is given it reads
 * it once before to learn that, which finds every fault before the first part comes. Fails as `learn` does, and where a label is none
 * of the classes given.
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
  const { task, rows = PartSize.byDefault } = options
  yield* PartSize.check(path, rows)
  const known =
    (task === "regression" || options.classNames !== undefined) &&
    (options.preprocessing !== undefined || isPlain(options))
  const learned: Partial<Learned> = { ...(known ? {} : yield* learn(path, options)), ...given(options) }
  const classes = Names.known(learned.classNames ?? [])
  return Stream.mapEffect(
    tables(path, options),
    Effect.fnUntraced(function* (table) {
      const frame = yield* task === "regression" ? Labels.toFrame(table, task) : Labels.classified(table, classes, task)
      return yield* Frame.toDataset(frame, learned.preprocessing ?? (yield* Preprocessing.fit(frame)))
    })
  )
})

/** Whether the columns are taken as they are, with nothing to learn from them. */
const isPlain = ({ categorical = [], missing, standardise }: Options): boolean =>
  categorical.length === 0 && standardise !== true && missing !== "mean" && missing !== "median"

const given = ({ classNames, preprocessing }: StreamOptions): Partial<Learned> => ({
  ...(classNames && { classNames }),
  ...(preprocessing && { preprocessing })
})

/** The file as tables of at most `rows` rows, none of them empty. */
const tables = (path: string, { rows = PartSize.byDefault, ...options }: StreamOptions) =>
  Stream.suspend(() => {
    const builder = Table.builder(path, options, rows)
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
