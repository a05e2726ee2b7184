/**
 * Tensors of TensorFlow.js, for who has them or wants them.
 */
import type * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import type { NdArray } from "../../tensor/NdArray.ts"
import * as Backend from "./Backend.ts"
import * as BackendEngine from "./BackendEngine.ts"
import type { BackendMissing } from "./BackendMissing.ts"

/** A tensor as an array; the tensor stays the caller's. */
export const toArray: (tensor: tf.Tensor) => NdArray = BackendEngine.toArray

/** An array as a tensor, the caller's to dispose. */
export const fromArray = (array: NdArray): Effect.Effect<tf.Tensor, BackendMissing> =>
  Effect.map(
    Effect.catch(Backend.native, () => Backend.wasm),
    ({ tf: core }) => BackendEngine.fromArray(core, array)
  )
