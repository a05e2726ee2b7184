/**
 * Data that come part by part, so that they need not fit into memory: for plans that train in batches.
 */
import { Effect, Stream } from "effect"
import * as Arrays from "./Arrays.ts"
import * as Csv from "./Csv.ts"
import { DataInvalid, listed } from "./DataInvalid.ts"
import * as Dataset from "./Dataset.ts"
import * as Frame from "./Frame.ts"
import * as Preprocessing from "./Preprocessing.ts"

/**
 * How many examples each part has, and the parts themselves, in the same order each time that they are read. Batches are of one part each, so
 * one that is smaller than a batch is not trained on.
 */
export interface Parts<E = never, R = never> {
  readonly sizes: ReadonlyArray<number>
  readonly read: Stream.Stream<Dataset.Dataset, E, R>
}

/** Parts, and the first of them: what a run measures on, and what a start looks at. */
export interface Sampled<E, R> {
  readonly sample: Dataset.Dataset
  readonly parts: Parts<E, R>
}

/** How a file is read in parts. */
export interface Options extends Csv.StreamOptions, Arrays.StreamOptions {
  /** The examples of a part, 16,384 by default; the last part may have fewer. */
  readonly rows?: number | undefined
}

/**
 * The parts that a stream has, which is read once for their sizes; `source` names it in errors.
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

/** What all parts of one set share. */
const meaning = ({ classNames, inputNames, targets, task }: Dataset.Dataset): string =>
  JSON.stringify([task, targets.shape[1], inputNames, classNames])

const inWords = ({ classNames, inputNames, targets, task }: Dataset.Dataset): string => {
  const classes = classNames === undefined ? "" : `, the classes ${listed(classNames)}`
  return `${task} with the columns ${listed(inputNames)}${classes} and ${targets.shape[1]} ${targets.shape[1] === 1 ? "output" : "outputs"}`
}

/**
 * A CSV, .npy or IDX file in parts. It is read twice before: for its classes and its preprocessing,
 * then for its length. The order of the file is kept from part to part, so one that is sorted by class is to be shuffled first.
 */
export const file = Effect.fn("Parts.file")(function* (path: string, options: Options = {}) {
  const rows = options.rows ?? 16_384
  const read = Arrays.isFile(path)
    ? yield* arrays(path, { ...options, rows })
    : Csv.stream(path, { ...options, ...(yield* Csv.learn(path, options)), rows })
  return yield* make(read, path)
})

const arrays = Effect.fnUntraced(function* (path: string, options: Options) {
  const frames = Arrays.stream(path, options)
  const columns = yield* Preprocessing.inParts(path, options)
  yield* Stream.runForEach(frames, columns.add)
  const preprocessing = options.preprocessing ?? (yield* columns.finish)
  return Stream.mapEffect(frames, Frame.toDataset(preprocessing))
})
