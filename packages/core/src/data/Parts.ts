/**
 * Data that come part by part, so that they need not fit into memory: for plans that train in batches.
 */
import { Effect, Option, Stream } from "effect"
import * as Csv from "./Csv.ts"
import { DataInvalid } from "./DataInvalid.ts"
import * as Dataset from "./Dataset.ts"

/** How many examples each part has, and the parts themselves, in the same order each time that they are read. */
export interface Parts<E = never, R = never> {
  readonly sizes: ReadonlyArray<number>
  readonly read: Stream.Stream<Dataset.Dataset, E, R>
}

/** Parts, and the first of them: what a run measures on, and what a start looks at. */
export interface Sampled<E, R> {
  readonly sample: Dataset.Dataset
  readonly parts: Parts<E, R>
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
  const sizes = yield* Stream.runCollect(Stream.map(read, Dataset.examples))
  const sample = yield* Stream.runHead(read)
  if (Option.isNone(sample)) {
    const [expected, came, advice] = ["at least one example", "none came", "add rows"]
    return yield* new DataInvalid({ source, expected, came, advice })
  }
  const found: Sampled<E, R> = { sample: sample.value, parts: { sizes, read } }
  return found
})

/**
 * A CSV file in parts of `rows` examples, 16,384 by default. The file is read twice before: for its classes, then for its length. The
 * order of the file is kept from part to part, so a file that is sorted by class is to be shuffled first.
 */
export const csv = Effect.fn("Parts.csv")(function* (path: string, options: Csv.StreamOptions = {}) {
  const rows = options.rows ?? 16_384
  const classNames =
    options.task === "regression" ? undefined : (options.classNames ?? (yield* Csv.classNames(path, options)))
  return yield* make(Csv.stream(path, { ...options, rows, ...(classNames === undefined ? {} : { classNames }) }), path)
})
