/**
 * Random circuits over all blocks as exported models, with the answers of their free run.
 */
import { RandomCircuit, RandomTrained } from "@rai/conformance"
import { Engine, type NdArray, Program, Pseudorandom, ReferenceEngine, type Trained } from "@rai/core"
import { Activations, Model, Onnx, Weights } from "@rai/export"
import { Effect } from "effect"

/** A model, the options of its export, and the expected outputs. */
export interface RandomModel {
  readonly name: string
  readonly trained: Trained.Trained
  readonly options: Onnx.Options
  readonly bytes: Uint8Array
  readonly x: NdArray.NdArray
  /** The expected outputs in float64: `logit` or `value`, and the exposed activations, if any. */
  readonly outputs: Engine.Arrays
}

/** Makes the model of a seed: a random operator set, sometimes with float16 weights, sometimes with an inner activation exposed. */
export const make = Effect.fn("RandomModel.make")(function* (seed: number) {
  const { trained: whole, x } = RandomTrained.make(seed)
  const draw = RandomCircuit.draw(Pseudorandom.derive(seed, "model"))
  const half = draw.whole(0, 4) === 0
  const trained = half ? { ...whole, parameters: Weights.rounded(whole.parameters) } : whole
  const activations = yield* Activations.make(trained)
  const paths = [...activations.places.keys()]
  const options: Onnx.Options = {
    opset: draw.one(Model.opsets),
    ...(half && { weights: "float16" as const }),
    ...(draw.whole(0, 2) === 0 && { expose: draw.one(paths) })
  }
  const exposed = options.expose === undefined ? {} : yield* Activations.matching(activations, options.expose)
  const { constants, freeRun } = activations
  const program = Program.fromTensors(freeRun.inputs, { ...freeRun.outputs, ...exposed })
  const { output, ...others } = yield* Engine.run(program, { ...trained.parameters, ...constants, x }).pipe(
    Effect.provide(ReferenceEngine.layer)
  )
  const found: RandomModel = {
    name: String(seed).padStart(4, "0"),
    trained,
    options,
    bytes: yield* Onnx.make(whole, options),
    x,
    outputs: { [trained.task === "regression" ? "value" : "logit"]: output!, ...others }
  }
  return found
})
