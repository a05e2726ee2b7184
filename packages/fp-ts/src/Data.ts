/**
 * Data sets as pipelines.
 */
import { type Csv, Dataset, Source } from "@rai/core"
import * as Pipeline from "./Pipeline.ts"

/** Reads the data set that a text names, `moons:n=1000,noise=0.1,seed=7` or the path of a CSV file: `Source.read` of `@rai/core`. */
export const read = (text: string, options: Csv.Options = {}): Pipeline.Pipeline<Dataset.Dataset> =>
  Pipeline.fromEffect(Source.read(text, options))

/** Makes a checked data set from your own arrays; `source` names it in errors: `Dataset.make` of `@rai/core`. */
export const make = (parts: Dataset.Parts, source?: string): Pipeline.Pipeline<Dataset.Dataset> =>
  Pipeline.fromEffect(Dataset.make(parts, source))

/** Divides examples into parts for training, validation and testing, stratified by class: `Dataset.divide` of `@rai/core`. */
export const divide =
  (shares: Dataset.Shares) =>
  (data: Dataset.Dataset): Pipeline.Pipeline<Dataset.Division> =>
    Pipeline.fromEffect(Dataset.divide(data, shares))

/**
 * Holds out a share of the examples, stratified by class: `Dataset.split` of `@rai/core`.
 *
 * ```ts
 * import { Dataset, ReferenceEngine } from "@rai/core"
 * import { Data, Engine } from "@rai/fp-ts"
 * import * as E from "fp-ts/lib/Either.js"
 * import { pipe } from "fp-ts/lib/function.js"
 * import * as RTE from "fp-ts/lib/ReaderTaskEither.js"
 *
 * const parts = pipe(Data.read("moons"), RTE.flatMap(Data.split({ share: 0.2 })), Engine.using(ReferenceEngine.layer))
 * pipe(await parts(), E.map(({ test, train }) => [train, test].map(Dataset.examples))) // => E.right([80, 20])
 * ```
 */
export const split =
  (options: Dataset.SplitOptions) =>
  (data: Dataset.Dataset): Pipeline.Pipeline<Dataset.Split> =>
    Pipeline.fromEffect(Dataset.split(data, options))
