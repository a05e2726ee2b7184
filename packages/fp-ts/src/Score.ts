/**
 * The score of a trained circuit, and its outputs.
 */
import { Score as Core, type Dataset, type NdArray, type Trained } from "@rai/core"
import * as Pipeline from "./Pipeline.ts"

/** The outputs of the free run: [examples, inputs] → [examples, outputs], logits or values. */
export const predict = (trained: Trained.Trained, inputs: NdArray.NdArray): Pipeline.Pipeline<NdArray.NdArray> =>
  Pipeline.fromEffect(Core.predict(trained, inputs))

/** The score of the free run on a data set. */
export const score = (trained: Trained.Trained, data: Dataset.Dataset): Pipeline.Pipeline<Core.Score> =>
  Pipeline.fromEffect(Core.score(trained, data))
