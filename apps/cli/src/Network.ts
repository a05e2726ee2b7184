/**
 * Networks trained elsewhere, read from their files.
 */
import { LayersModel, Onnx } from "@rai/export"
import { Effect } from "effect"
import * as Report from "./Report.ts"

/** Reads the network at a path: an ONNX model or a TensorFlow.js layers-model; undefined where it is neither. */
export const at = Effect.fn("Network.at")(function* (path: string, options: { readonly logits?: boolean } = {}) {
  const isOnnx = /\.onnx$/i.test(path)
  if (!isOnnx && !(yield* LayersModel.isAt(path))) return undefined
  const read = yield* isOnnx ? Onnx.read(path, options) : LayersModel.read(path, options)
  const { others, output } = read
  if (others.length > 0) {
    yield* Report.progress(`of ${path} the output «${output}» is kept, and left out: ${others.join(", ")}`)
  }
  return read
})
