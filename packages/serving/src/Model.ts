/**
 * One model without a server: a thread with its session, with the same batching and checks as behind the protocol.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, type Scope } from "effect"
import * as Datatype from "./Datatype.ts"
import type { InferTensor } from "./InferTensor.ts"
import type { ModelSignature } from "./ModelSignature.ts"
import { type RequestError, RequestInvalid } from "./RequestError.ts"
import * as Inspection from "./repository/Inspection.ts"
import type { ModelSettings } from "./repository/ModelSettings.ts"
import type { ExecutionProvider } from "./worker/Message.ts"
import type { ModelLoadFailed } from "./worker/ModelWorker.ts"
import * as ServedModel from "./worker/ServedModel.ts"

/** A tensor's shape and elements; its datatype is the model's. */
export interface Values {
  readonly shape: ReadonlyArray<number>
  readonly data: Datatype.TensorData
}

/** An open model. */
export interface Model {
  readonly signature: ModelSignature
  /** The execution provider that took it. */
  readonly provider: ExecutionProvider
  /** Takes all inputs by name and returns all outputs by name; concurrent requests are batched where the model's rows are independent. */
  readonly infer: (
    inputs: Readonly<Record<string, Values>>
  ) => Effect.Effect<Readonly<Record<string, InferTensor>>, RequestError>
}

/** Execution providers, of which the first that takes the model computes it, and the model's settings, as for batching. */
export interface Options {
  readonly providers?: ReadonlyArray<ExecutionProvider> | undefined
  readonly settings?: ModelSettings | undefined
}

/**
 * Opens a model file and checks it against the parity record beside it, if there is one; its thread ends with the scope.
 *
 * ```ts
 * import { Circuit, Moons, TfjsEngine, Training } from "@rai/core"
 * import { Onnx } from "@rai/export"
 * import { Model } from "@rai/serving"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const trained = yield* Training.fit(Circuit.perceptron([2, 8, 1]), yield* Moons.paper)
 *   yield* Onnx.write(trained, "moons.onnx")
 *   const moons = yield* Model.open("moons.onnx", { providers: ["cpu"] })
 *   const { probability } = yield* moons.infer({ x: { shape: [1, 2], data: Float32Array.of(0.5, 0.25) } })
 *   return probability?.data
 * })
 * await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(TfjsEngine.layer)))
 * ```
 */
export const open = Effect.fn("Model.open")(function* (
  file: string,
  { providers = ["cuda", "cpu"], settings = {} }: Options = {}
): Effect.fn.Return<Model, ModelLoadFailed, Scope.Scope> {
  const name = file
  const check = yield* Effect.provide(Inspection.make, NodeFileSystem.layer)
  const inspected = yield* Inspection.inspect(name, file)
  const served = yield* ServedModel.make({
    name,
    version: "1",
    settings,
    ...inspected,
    providers,
    check: (worker) => check(name, file, worker)
  })
  const { provider } = yield* Effect.orDie(served.description)
  const { signature } = served

  const tensorOf = ([name, { shape, data }]: readonly [string, Values]) => {
    const datatype = signature.inputs.find((input) => input.name === name)?.datatype ?? "FP32"
    if (!Datatype.isDatatype(datatype)) {
      return Effect.fail(new RequestInvalid({ reason: `the input "${name}" is ${datatype}, which has no array here` }))
    }
    const memory = Datatype.row(datatype).allocate(0)
    const count = shape.reduce((product, size) => product * size, 1)
    return data.constructor === memory.constructor && data.length === count
      ? Effect.succeed<InferTensor>({ name, datatype, shape, data })
      : Effect.fail(
          new RequestInvalid({
            reason: `the input "${name}" of shape [${shape.join(", ")}] wants ${count} elements in a ${memory.constructor.name}; ${data.length} in a ${data.constructor.name} came`
          })
        )
  }

  return {
    signature,
    provider,
    infer: Effect.fnUntraced(function* (inputs) {
      const tensors = yield* Effect.forEach(Object.entries(inputs), tensorOf)
      const { outputs } = yield* served.infer({ inputs: tensors })
      return Object.fromEntries(outputs.map((output) => [output.name, output]))
    })
  }
})
