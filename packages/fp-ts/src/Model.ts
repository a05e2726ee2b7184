/**
 * Exported models: write one with the record that proves parity, verify it against that record, and ask it for predictions.
 */
import type { NdArray, Trained } from "@rai/core"
import { Onnx, type Parity, Predict, Verify } from "@rai/export"
import * as Pipeline from "./Pipeline.ts"

/** Writes `file` with its parity record beside it, provided that the engine's free run and onnxruntime agree: `Onnx.write` of `@rai/export`. */
export const write = (
  trained: Trained.Trained,
  file: string,
  options: { readonly samples?: NdArray.NdArray } = {}
): Pipeline.Pipeline<Parity.ParityRecord> => Pipeline.fromEffect(Onnx.write(trained, file, options))

/** Runs the samples in the model's record through onnxruntime again: `Verify.verify` of `@rai/export`. */
export const verify = (file: string): Pipeline.Pipeline<Verify.Verified> => Pipeline.fromEffect(Verify.verify(file))

/** The model's predictions for `inputs` [rows, features]: `Predict.predict` of `@rai/export`. */
export const predict = (file: string, inputs: NdArray.NdArray): Pipeline.Pipeline<Predict.Prediction> =>
  Pipeline.fromEffect(Predict.predict(file, inputs))
