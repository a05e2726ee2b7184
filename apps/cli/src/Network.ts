/**
 * Networks trained elsewhere, read from their files.
 */
import { LayersModel, Onnx } from "@rai/export"
import { Effect } from "effect"
import * as Report from "./Report.ts"

/** Says which outputs of a network are kept where others are left out. */
export const leavingOut = (path: string, kept: ReadonlyArray<string>, others: ReadonlyArray<string>) =>
  others.length === 0
    ? Effect.void
    : Report.notice(`outputs of ${path}: ${kept.join(", ")} kept, ${others.join(", ")} left out`)

/** Whether a path names an ONNX model. */
export const isModel = (path: string): boolean => /\.onnx$/i.test(path)

/** Reads the network at a path: an ONNX model or a TensorFlow.js layers-model; undefined where it is neither. */
export const at = Effect.fn("Network.at")(function* (path: string, options: { readonly logits?: boolean } = {}) {
  if (!isModel(path) && !(yield* LayersModel.isAt(path))) return undefined
  const read = yield* isModel(path) ? Onnx.read(path, options) : LayersModel.read(path, options)
  const { others, output } = read
  yield* leavingOut(path, [output], others)
  return read
})
