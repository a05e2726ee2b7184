/**
 * Data that come part by part, so that they need not fit into memory: for plans that train in batches.
 */
import { Effect, type FileSystem, Option, Stream } from "effect"
import * as Csv from "./Csv.ts"
import { DataInvalid } from "./DataInvalid.ts"
import * as Dataset from "./Dataset.ts"

/** How many examples each part has, and the parts themselves, in the same order each time that they are read. */
export interface Parts<E = never, R = never> {
  readonly sizes: ReadonlyArray<number>
  readonly read: Stream.Stream<Dataset.Dataset, E, R>
}

/** The parts of a file, and the first of them: what a run measures on, and what a start looks at. */
export interface OfFile {
  readonly sample: Dataset.Dataset
  readonly parts: Parts<DataInvalid, FileSystem.FileSystem>
}

/**
 * A CSV file in parts of `rows` examples, 16,384 by default. The file is read twice before: for its classes and its
 * preprocessing, then for its length. The
 * order of the file is kept from part to part, so a file that is sorted by class is to be shuffled first.
 */
export const csv = Effect.fn("Parts.csv")(function* (path: string, options: Csv.StreamOptions = {}) {
  const rows = options.rows ?? 16_384
  const read = Csv.stream(path, { ...options, ...(yield* Csv.learn(path, options)), rows })
  const sizes = yield* Stream.runCollect(Stream.map(read, Dataset.examples))
  const sample = yield* Stream.runHead(read)
  if (Option.isNone(sample)) {
    return yield* new DataInvalid({
      source: path,
      expected: "at least one example",
      came: "none came",
      advice: "add rows"
    })
  }
  const found: OfFile = { sample: sample.value, parts: { sizes, read } }
  return found
})
