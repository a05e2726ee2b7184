/**
 * Data that arrive part by part and so need not fit into memory, for plans that train in batches.
 */
import { Effect, type FileSystem, Stream } from "effect"
import * as Arrays from "./Arrays.ts"
import * as Csv from "./Csv.ts"
import { DataInvalid, listed } from "./DataInvalid.ts"
import * as Dataset from "./Dataset.ts"
import * as Frame from "./Frame.ts"
import * as Preprocessing from "./Preprocessing.ts"

/**
 * Sizes of the parts in examples, and a stream of the parts, in the same order each time it is read. A batch never spans parts, so a part smaller
 * than a batch is not trained on.
 */
export interface Parts<E = never, R = never> {
  readonly sizes: ReadonlyArray<number>
  readonly read: Stream.Stream<Dataset.Dataset, E, R>
}

/** Parts, and the first of them as a sample for measurements and starts. */
export interface Sampled<E, R> {
  readonly sample: Dataset.Dataset
  readonly parts: Parts<E, R>
}

/** The parts of a file. */
export interface OfFile<E, R> extends Sampled<E, R> {
  /** How many examples are left out for a missing value. */
  readonly dropped: number
}

/** Options for reading a file in parts. */
export interface Options extends Csv.StreamOptions, Arrays.StreamOptions {
  /** Number of examples per part, 16,384 by default; the last part may have fewer. */
  readonly rows?: number | undefined
}

/**
 * Creates parts from a stream, which is read once for their sizes; `source` names it in errors.
 *
 * ```ts
 * import { Moons, Parts } from "@rai/core"
 * import { Effect, Stream } from "effect"
 *
 * const read = Stream.mapEffect(Stream.range(1, 3), (seed) => Moons.make({ examples: 50, seed }))
 * const { parts } = await Effect.runPromise(Parts.make(read, "moons"))
 * parts.sizes // => [50, 50, 50]
 * ```
 */
export const make = Effect.fn("Parts.make")(function* <E, R>(
  read: Stream.Stream<Dataset.Dataset, E, R>,
  source: string
) {
  let first = undefined as Dataset.Dataset | undefined
  const sizes: Array<number> = []
  yield* Stream.runForEach(read, (part) => {
    first ??= part
    const expected = `part ${sizes.push(Dataset.examples(part))} as the first one, ${inWords(first)}`
    const advice = "read all of them with the columns and classes of one"
    return meaning(part) === meaning(first)
      ? Effect.void
      : Effect.fail(new DataInvalid({ source, expected, came: `${inWords(part)} came`, advice }))
  })
  if (first === undefined) {
    const [expected, came, advice] = ["at least one example", "none came", "add rows"]
    return yield* new DataInvalid({ source, expected, came, advice })
  }
  const found: Sampled<E, R> = { sample: first, parts: { sizes, read } }
  return found
})

/** What all parts of one data set must share. */
const meaning = ({ classNames, inputNames, targets, task }: Dataset.Dataset): string =>
  JSON.stringify([task, targets.shape[1], inputNames, classNames])

const inWords = ({ classNames, inputNames, targets, task }: Dataset.Dataset): string => {
  const classes = classNames === undefined ? "" : `, the classes ${listed(classNames)}`
  return `${task} with the columns ${listed(inputNames)}${classes} and ${targets.shape[1]} ${targets.shape[1] === 1 ? "output" : "outputs"}`
}

/**
 * Reads a CSV, .npy or IDX file in parts. It takes two passes beforehand: one for classes and preprocessing, one for its length. Parts keep the
 * order of the file, so shuffle a file that is sorted by class first.
 */
export const file = Effect.fn("Parts.file")(function* (path: string, options: Options = {}) {
  const rows = options.rows ?? 16_384
  const { dropped, read } = Arrays.isFile(path)
    ? yield* arrays(path, { ...options, rows })
    : yield* table(path, { ...options, rows })
  const found: OfFile<DataInvalid, FileSystem.FileSystem> = { ...(yield* make(read, path)), dropped }
  return found
})

const table = Effect.fnUntraced(function* (path: string, options: Options) {
  const { dropped, ...learned } = yield* Csv.learn(path, options)
  return { dropped, read: Csv.stream(path, { ...options, ...learned }) }
})

const arrays = Effect.fnUntraced(function* (path: string, options: Options) {
  const columns = yield* Preprocessing.inParts(path, options)
  let dropped = 0
  yield* Stream.runForEach(Arrays.everyPart(path, options), (part) => {
    dropped += part.dropped ?? 0
    return columns.add(part)
  })
  const preprocessing = options.preprocessing ?? (yield* columns.finish)
  return { dropped, read: Stream.mapEffect(Arrays.stream(path, options), Frame.toDataset(preprocessing)) }
})
