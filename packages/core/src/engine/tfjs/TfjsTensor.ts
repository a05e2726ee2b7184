/**
 * Conversions to and from TensorFlow.js tensors.
 */
import type * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import type { NdArray } from "../../tensor/NdArray.ts"
import * as Backend from "./Backend.ts"
import * as BackendEngine from "./BackendEngine.ts"
import type { BackendMissing } from "./BackendMissing.ts"

/** Converts a tensor to an array; the caller keeps the tensor. */
export const toArray: (tensor: tf.Tensor) => NdArray = BackendEngine.toArray

/** Converts an array to a tensor, which the caller must dispose. */
export const fromArray = (array: NdArray): Effect.Effect<tf.Tensor, BackendMissing> =>
  Effect.map(
    Effect.catch(Backend.native, () => Backend.wasm),
    ({ tf: core }) => BackendEngine.fromArray(core, array)
  )
