/**
 * Networks from elsewhere.
 */
import { LayersModel, Onnx } from "@rai/export"
import { Effect } from "effect"

/** The network that a path names, an ONNX model or a layers-model of TensorFlow.js; undefined where it names neither. */
export const at = Effect.fn("Network.at")(function* (path: string, options: { readonly logits?: boolean } = {}) {
  if (/\.onnx$/i.test(path)) return yield* Onnx.read(path, options)
  return (yield* LayersModel.isAt(path)) ? yield* LayersModel.read(path, options) : undefined
})
