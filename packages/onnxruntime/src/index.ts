/**
 * onnxruntime for Node: a model is a session, its inputs and outputs are tensors.
 *
 * ```ts
 * import { env } from "@rai/onnxruntime"
 *
 * env.versions.node // => "1.30.0"
 * ```
 */
export { env, InferenceSession, listSupportedBackends, Tensor } from "onnxruntime-node"

export * as Halves from "./Halves.ts"
