/**
 * The free run: no auxiliaries, z_t = ẑ_t. It alone shows what a trained circuit is worth.
 */
import { Effect } from "effect"
import * as BlockKinds from "../circuit/BlockKinds.ts"
import * as Circuit from "../circuit/Circuit.ts"
import * as Program from "../program/Program.ts"
import * as Shape from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import { evaluate } from "./Evaluation.ts"

/**
 * The program of the free run: parameters by name and `x`: [batch, inputs] → `output`: [batch, outputs]. The batch stays a named dimension, so one
 * program serves any number of examples.
 *
 * ```ts
 * import { Circuit, FreeRun, Print } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const circuit = Circuit.perceptron([2, 3, 1], { activation: "tanh" })
 * const text = Print.print(Effect.runSync(FreeRun.program(circuit)))
 * text.includes("tanh") // => true
 * ```
 */
export const program = (circuit: Circuit.Circuit): Effect.Effect<Program.Program, ShapeMismatch> =>
  Effect.andThen(
    checkSettings(circuit),
    Effect.suspend(() =>
      Program.make(signature(circuit), (given) => ({
        output: evaluate(circuit, (name) => given[name]!, given.x!)
      }))
    )
  )

/** Checks each block's settings against its kind; settings that do not match the formula would otherwise surface as some unrelated fault. */
const checkSettings = Effect.fnUntraced(function* (circuit: Circuit.Circuit) {
  for (const { block, path } of Circuit.leaves(circuit)) {
    const kind = BlockKinds.table[block.kind]
    const wrong = kind && BlockKinds.wrong(kind, block.settings)
    if (wrong === undefined) continue
    const advice = `write for instance ${JSON.stringify(kind!.example)}, or call a stage of your own something else`
    return yield* new ShapeMismatch({ operation: block.kind, path, ...wrong, advice })
  }
})

/** The number of inputs, as given by the first stage that knows its own, and of outputs, as the free run computes them. */
export const widths = Effect.fn("FreeRun.widths")(function* (circuit: Circuit.Circuit) {
  const { shape } = (yield* program(circuit)).outputs.output!
  const [, outputs, ...rest] = shape
  if (typeof outputs === "number" && rest.length === 0) return { inputs: Circuit.inputs(circuit), outputs }
  return yield* new ShapeMismatch({ operation: "the output", expected: "[batch, outputs]", came: Shape.show(shape) })
})

const signature = (circuit: Circuit.Circuit): Program.Signature => ({
  ...Circuit.signature(circuit),
  x: ["batch", Circuit.inputs(circuit)]
})
