/**
 * The backends of TensorFlow.js that can compute here: libtensorflow through tfjs-node, or WebAssembly.
 */
import { createRequire } from "node:module"
import type * as tf from "@tensorflow/tfjs-core"
import { Effect, Schema } from "effect"
import type { Fused } from "./Compiled.ts"
import { type Kernel, kernels, wasmKernels } from "./Kernels.ts"

/** TensorFlow.js with one of its backends loaded. */
export interface Backend {
  /** As the engine is called: `tfjs-native` or `tfjs-wasm`. */
  readonly name: string
  readonly tf: typeof tf
  /** Makes this backend the one that kernels run on. */
  readonly activate: () => void
  /** A kernel for each primitive. */
  readonly kernels: Readonly<Record<string, Kernel>>
  readonly fused: Readonly<Record<string, Fused>>
}

/** A backend whose library is not installed or does not load. */
export class BackendMissing extends Schema.TaggedError<BackendMissing>()("BackendMissing", {
  backend: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `expected the TensorFlow.js backend ${this.backend} to load, but ${this.reason}; run \`npm start\` to set it up, or choose another --engine`
  }
}

const require = createRequire(import.meta.url)

const firstLine = (error: unknown): string => String(error instanceof Error ? error.message : error).split("\n")[0]!

const activate = (core: typeof tf, backend: string) => () => {
  if (core.engine().backendName !== backend) void core.setBackend(backend)
}

interface NodeBackend {
  readonly binding: { readonly TF_ATTR_TYPE: number; readonly TF_FLOAT: number }
  readonly executeSingleOutput: (name: string, attributes: unknown, inputs: ReadonlyArray<tf.Tensor>) => tf.Tensor
}

/** libtensorflow, as `rai setup` installs it: several cores, fused derivatives of the activation functions. */
export const native: Effect.Effect<Backend, BackendMissing> = Effect.try({
  try: () => {
    // tfjs-node asks for a function that Node dropped in version 23.
    const util = require("node:util") as { isNullOrUndefined?: (value: unknown) => boolean }
    util.isNullOrUndefined ??= (value) => value === undefined || value === null
    process.env.TF_CPP_MIN_LOG_LEVEL ??= "3"
    const core = require("@tensorflow/tfjs-node") as typeof tf
    const node = core.backend() as unknown as NodeBackend
    const type = [{ name: "T", type: node.binding.TF_ATTR_TYPE, value: node.binding.TF_FLOAT }]
    const run =
      (name: string, reversed = false): Fused =>
      ([g, y]) =>
        node.executeSingleOutput(name, type, reversed ? [g!, y!] : [y!, g!])
    return {
      name: "tfjs-native",
      tf: core,
      activate: activate(core, "tensorflow"),
      kernels,
      fused: {
        sigmoidGradient: run("SigmoidGrad"),
        tanhGradient: run("TanhGrad"),
        reluGradient: run("ReluGrad", true)
      }
    }
  },
  catch: (error) => new BackendMissing({ backend: "native", reason: firstLine(error) })
})

/** WebAssembly: one core, no installation; what is left where libtensorflow cannot be had. */
export const wasm: Effect.Effect<Backend, BackendMissing> = Effect.tryPromise({
  try: async () => {
    const core = require("@tensorflow/tfjs-core") as typeof tf
    require("@tensorflow/tfjs-backend-wasm")
    const before = core.engine().backendName
    await core.setBackend("wasm")
    if (before !== undefined && before !== null) await core.setBackend(before)
    return { name: "tfjs-wasm", tf: core, activate: activate(core, "wasm"), kernels: wasmKernels, fused: {} }
  },
  catch: (error) => new BackendMissing({ backend: "WebAssembly", reason: firstLine(error) })
})
