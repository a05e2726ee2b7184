/**
 * Networks trained elsewhere, read from their files.
 */
import { LayersModel, Onnx } from "@rai/export"
import { Effect } from "effect"

/** Reads the network at a path: an ONNX model or a TensorFlow.js layers-model; undefined where it is neither. */
export const at = Effect.fn("Network.at")(function* (path: string, options: { readonly logits?: boolean } = {}) {
  if (/\.onnx$/i.test(path)) return yield* Onnx.read(path, options)
  return (yield* LayersModel.isAt(path)) ? yield* LayersModel.read(path, options) : undefined
})
