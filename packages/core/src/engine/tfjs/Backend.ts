/**
 * The backends of TensorFlow.js that are supported here: libtensorflow through tfjs-node, or WebAssembly.
 */
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import type * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import { BackendMissing } from "./BackendMissing.ts"
import { broadcasting, type InPlace, kernels, wasmKernels } from "./Kernels.ts"
import type { Kernels } from "./Lowering.ts"
import * as Revision from "./Revision.ts"
import * as TfjsNode from "./TfjsNode.ts"

/** TensorFlow.js with one of its backends loaded. */
export interface Backend extends Kernels {
  /** Name of the engine: `tfjs-native` or `tfjs-wasm`. */
  readonly name: string
  readonly tf: typeof tf
  /** Makes kernels run on this backend. */
  readonly activate: () => void
}

const require = createRequire(import.meta.url)

const firstLine = (error: unknown): string => String(error instanceof Error ? error.message : error).split("\n")[0]!

const activate = (core: typeof tf, backend: string) => () => {
  if (core.engine().backendName !== backend) void core.setBackend(backend)
}

interface NodeBackend {
  readonly binding: { readonly TF_ATTR_TYPE: number; readonly TF_ATTR_BOOL: number; readonly TF_FLOAT: number }
  readonly executeSingleOutput: (name: string, attributes: unknown, inputs: ReadonlyArray<tf.Tensor>) => tf.Tensor
}

/** Primitives whose kernels there write into the memory of an operand that is released. */
const elementwise = {
  ...{ abs: "Abs", elu: "Elu", erf: "Erf", exp: "Exp", log: "Log", neg: "Neg", relu: "Relu", sigmoid: "Sigmoid" },
  ...{ sign: "Sign", softplus: "Softplus", sqrt: "Sqrt", square: "Square", tanh: "Tanh" },
  ...{ add: "Add", div: "RealDiv", maximum: "Maximum", minimum: "Minimum", mul: "Mul", sub: "Sub" }
}

/** Kernels called by their names in libtensorflow, which computes more of them in one pass, and in place. */
const named = (core: typeof tf, node: NodeBackend): Record<string, InPlace> => {
  const { TF_ATTR_BOOL, TF_ATTR_TYPE, TF_FLOAT } = node.binding
  const type = [{ name: "T", type: TF_ATTR_TYPE, value: TF_FLOAT }]
  let taken = () => {}
  // Attributes are read when the operation has its operands: those that are disposed of then are its alone, and it writes into them.
  const whenTaken = [
    {
      name: "T",
      type: TF_ATTR_TYPE,
      get value() {
        taken()
        return TF_FLOAT
      }
    }
  ]
  const run = (name: string, operands: ReadonlyArray<tf.Tensor>, release: () => void) => {
    taken = release
    return node.executeSingleOutput(name, whenTaken, operands)
  }
  const own = Object.entries(elementwise).map(([primitive, name]): [string, InPlace] => [
    primitive,
    (call, operands, shape, attributes, release) =>
      operands[0]!.dtype === "float32"
        ? run(name, operands, release)
        : kernels[primitive]!(call, operands, shape, attributes)
  ])
  return {
    ...Object.fromEntries(own),
    sigmoidGradient: (_, [g, y], __, ___, release) => run("SigmoidGrad", [y!, g!], release),
    tanhGradient: (_, [g, y], __, ___, release) => run("TanhGrad", [y!, g!], release),
    eluGradient: (_, operands, __, ___, release) => run("EluGrad", operands, release),
    reluGradient: (_, operands, __, ___, release) => run("ReluGrad", operands, release),
    leakyRelu: (call, [x], _, { slope }) => call("LeakyRelu", { x: x! }, { alpha: slope }),
    // For two plain matrices, MatMul is three times as fast as a batch of one.
    matMul: (call, [a, b], shape, attributes) =>
      shape.length > 2
        ? kernels.matMul!(call, [a!, b!], shape, attributes)
        : node.executeSingleOutput(
            "MatMul",
            [
              ...type,
              { name: "transpose_a", type: TF_ATTR_BOOL, value: attributes.transposeA },
              { name: "transpose_b", type: TF_ATTR_BOOL, value: attributes.transposeB }
            ],
            [a!, b!]
          ),
    // SelectV2 broadcasts; ClipByValue takes one pass where tfjs takes two.
    where: (_, operands) => node.executeSingleOutput("SelectV2", type, operands),
    clip: (_, [x], __, { minimum, maximum }, release) =>
      core.tidy(() => run("ClipByValue", [x!, core.scalar(minimum as number), core.scalar(maximum as number)], release))
  }
}

/** libtensorflow as `rai setup` installs it: multi-core, with fused derivatives of activation functions. */
export const native: Effect.Effect<Backend, BackendMissing> = TfjsNode.find.pipe(
  Effect.flatMap((manifest) =>
    manifest === undefined
      ? new BackendMissing({ backend: "native", reason: "tfjs-node is not installed" })
      : Effect.tap(load(manifest), () => Effect.when(warnOnce, Revision.isOutdated(manifest)))
  )
)

let isWarned = false

const warnOnce = Effect.suspend(() => {
  if (isWarned) return Effect.void
  isWarned = true
  return Effect.logWarning(
    "libtensorflow is of an older set-up, whose memory a signal such as ^C can corrupt; rai setup (npx --package @rai/cli rai setup) renews it"
  )
})

const load = (manifest: string) =>
  Effect.try({
    try: () => {
      // tfjs-node calls two functions of `util` that Node deprecates or has removed.
      const util = require("node:util") as {
        isNullOrUndefined?: (value: unknown) => boolean
        isArray: typeof Array.isArray
      }
      util.isNullOrUndefined = (value) => value === undefined || value === null
      util.isArray = Array.isArray
      process.env.TF_CPP_MIN_LOG_LEVEL ??= "3"
      const quiet = join(dirname(manifest), "lib", "napi-v8", "quiet.node")
      if (existsSync(quiet)) require(quiet)
      const core = require(dirname(manifest)) as typeof tf
      const node = core.findBackend("tensorflow") as unknown as NodeBackend
      return {
        name: "tfjs-native",
        tf: core,
        activate: activate(core, "tensorflow"),
        kernels: { ...kernels, ...named(core, node) },
        broadcasting: new Set([...broadcasting, "where"])
      }
    },
    catch: (error) => new BackendMissing({ backend: "native", reason: firstLine(error) })
  })

let module: Promise<void> | undefined

/**
 * Initialises the module once, and then registers it as there. TensorFlow.js would do so when the backend is first set, but leaves the process without
 * any backend meanwhile, and another engine may be computing.
 */
const initialised = async (core: typeof tf): Promise<void> => {
  if (core.engine().backendName === "wasm") return
  const backend = await core.findBackendFactory("wasm")()
  core.removeBackend("wasm")
  core.registerBackend("wasm", () => backend)
}

/** WebAssembly: single-core, no installation; the fallback where libtensorflow is not available. */
export const wasm: Effect.Effect<Backend, BackendMissing> = Effect.tryPromise({
  try: async () => {
    const core = require("@tensorflow/tfjs-core") as typeof tf
    require("@tensorflow/tfjs-backend-wasm")
    module ??= initialised(core).catch((error: unknown) => {
      module = undefined
      throw error
    })
    await module
    return { name: "tfjs-wasm", tf: core, activate: activate(core, "wasm"), kernels: wasmKernels, broadcasting }
  },
  catch: (error) => new BackendMissing({ backend: "WebAssembly", reason: firstLine(error) })
})
