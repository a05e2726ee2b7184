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

/** Options for reading a file. */
export interface FrameOptions extends Table.Options {
  /** The classes in order, if known; else those found in the file. */
  readonly classNames?: ReadonlyArray<string> | undefined
}

/** Options for reading a file and for learning preprocessing from its columns. */
export interface Options extends FrameOptions, Preprocessing.Rules {}

/** What a first pass over a file determines. */
export interface Learned {
  /** The classes in order; none for `regression`. */
  readonly classNames?: ReadonlyArray<string> | undefined
  readonly preprocessing: Preprocessing.Preprocessing
  /** How many examples are left out for a missing value. */
  readonly dropped: number
}

/** Options for reading a file in parts. */
export interface StreamOptions extends Options {
  /** The preprocessing, if known; otherwise learned in that first pass. */
  readonly preprocessing?: Preprocessing.Preprocessing | undefined
  /** Number of examples per part, 1,024 by default; the last part may have fewer. */
  readonly rows?: number | undefined
}

/**
 * Reads the examples of a CSV file (plain or gzipped), with nothing learned from them yet: a header line, then one example per line,
 * with numbers in all columns but the label's and the categorical ones. Classes are numbered in order of their names. A cell counts as missing
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
 * Reads a CSV file as `frame` does and applies preprocessing learned from the whole file; to hold some of it out, split a `frame` first.
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

/** Reads the raw inputs of a CSV file: its columns `names` in that order, or all of its columns. Fails as `frame` does. */
export const inputs = Effect.fn("Csv.inputs")(function* (path: string, options: Columns.Options = {}) {
  const builder = Columns.builder(path, options)
  yield* Stream.runDrain(Records.feed(path, builder))
  return yield* Effect.fromResult(builder.finish())
})

/**
 * Learns the classes of a CSV file and the preprocessing that the rules ask for, in one pass and constant memory. Fails as `frame` does, and for
 * the rule `median`, which needs all values at once.
 */
export const learn = Effect.fn("Csv.learn")(function* (path: string, options: Options = {}) {
  const found = Labels.tally()
  const columns = yield* Preprocessing.inParts(path, options)
  const values = options.task === "regression"
  let dropped = 0
  yield* Stream.runForEach(tables(path, options), (table) => {
    dropped += table.dropped
    return Effect.andThen(values ? Effect.void : found.add(table, options.task), columns.add(Labels.cells(table)))
  })
  const preprocessing = yield* columns.finish
  const learned: Learned = values
    ? { preprocessing, dropped }
    : { classNames: (yield* found.finish(options.task)).names, preprocessing, dropped }
  return learned
})

/**
 * Reads a CSV file part by part, in the file's order, each part with all columns and classes: for files larger than memory, of which only one part
 * and one chunk of the file are in memory. Each run of the stream reads the file; unless the results of `learn` are given, it first makes a pass to
 * learn them, which finds every fault before the first part is emitted. Fails as `learn` does, and where a label is not one of the given classes.
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
    Stream.filter(tables(path, options), ({ labels }) => labels.length > 0),
    Effect.fnUntraced(function* (table) {
      const frame = yield* task === "regression" ? Labels.toFrame(table, task) : Labels.classified(table, classes, task)
      return yield* Frame.toDataset(frame, learned.preprocessing ?? (yield* Preprocessing.fit(frame)))
    })
  )
})

/** Whether the columns are used as they are, with nothing to learn from them. */
const isPlain = ({ categorical = [], missing, standardise }: Options): boolean =>
  categorical.length === 0 && standardise !== true && missing !== "mean" && missing !== "median"

const given = ({ classNames, preprocessing }: StreamOptions): Partial<Learned> => ({
  ...(classNames && { classNames }),
  ...(preprocessing && { preprocessing })
})

/** Reads the file as tables of at most `rows` rows; the last may have none, where those behind the others are all left out. */
const tables = (path: string, { rows = PartSize.byDefault, ...options }: StreamOptions) =>
  Stream.suspend(() => {
    const builder = Table.builder(path, options, rows)
    const rest = Stream.suspend(() =>
      Result.match(builder.finish(), {
        onFailure: Stream.fail,
        onSuccess: Stream.succeed
      })
    )
    return Records.feed(path, builder).pipe(
      Stream.flatMap(() => Stream.fromIterable(builder.drain())),
      Stream.concat(rest)
    )
  })
