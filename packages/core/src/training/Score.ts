/**
 * How good a trained circuit's free run is, also on data it has never seen.
 */
import { Effect } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import * as Alike from "../data/Alike.ts"
import type { Dataset } from "../data/Dataset.ts"
import { type Arrays, Engine, type EngineFailed } from "../engine/Engine.ts"
import * as Metrics from "../metrics/Metrics.ts"
import * as Regression from "../metrics/Regression.ts"
import * as Loss from "../optimization/Loss.ts"
import * as Program from "../program/Program.ts"
import * as FreeRun from "../relaxation/FreeRun.ts"
import type { NdArray } from "../tensor/NdArray.ts"
import { show } from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Trained } from "./Trained.ts"

/** The loss of the task (`Loss.forTask`), and accuracy where there are classes. */
export interface Score {
  readonly loss: number
  readonly accuracy?: number
}

/** Runs the circuit freely: [examples, inputs] → [examples, outputs], logits or values. */
export const predict = (
  trained: Trained,
  inputs: NdArray
): Effect.Effect<NdArray, EngineFailed | ShapeMismatch, Engine> =>
  Effect.gen(function* () {
    const program = yield* FreeRun.program(trained.circuit)
    const width = Circuit.inputs(trained.circuit)
    if (inputs.shape.length !== 2 || inputs.shape[1] !== width) {
      const [came, advice] = [show(inputs.shape), "give one column for each input of the circuit"]
      return yield* new ShapeMismatch({ operation: "the inputs", expected: `[examples, ${width}]`, came, advice })
    }
    const outputs = yield* Engine.use((engine) => engine.run(program, { ...trained.parameters, x: inputs }))
    return outputs.output!
  })

/** Outputs on a data set, which must have the circuit's task, as many targets as it has outputs, and columns and classes ordered as in the training data. */
const answers = Effect.fnUntraced(function* (trained: Trained, data: Dataset) {
  const disordered = Alike.disordered(trained, data)
  if (disordered !== undefined) {
    const advice = "read the data with the columns and classes of the training data"
    return yield* new ShapeMismatch({ operation: "the data", ...disordered, advice })
  }
  const output = yield* predict(trained, data.inputs)
  const [expected, came] = [show(output.shape), show(data.targets.shape)]
  if (expected !== came) {
    const advice = "give data with as many outputs as the circuit has"
    return yield* new ShapeMismatch({ operation: "the targets", expected, came, advice })
  }
  if (data.task !== trained.task) {
    const advice = "read the data with the task of the training data"
    return yield* new ShapeMismatch({ operation: "the task", expected: trained.task, came: data.task, advice })
  }
  return output
})

/** Scores the free run on a data set. */
export const score = (trained: Trained, data: Dataset): Effect.Effect<Score, EngineFailed | ShapeMismatch, Engine> =>
  Effect.gen(function* () {
    const output = yield* answers(trained, data)
    // An engine in float32 would round targets far from zero, and lose the squares of tiny ones.
    if (trained.task === "regression") return { loss: Regression.meanSquaredError(data.targets, output) }
    const program = yield* Program.make({ output: output.shape, y: data.targets.shape }, ({ output: o, y }) => ({
      loss: Loss.forTask[trained.task](o, y),
      correct: Loss.correct(o, y)
    }))
    const given: Arrays = { output, y: data.targets }
    const { correct, loss } = yield* Engine.use((engine) => engine.run(program, given))
    return { loss: loss!.data[0]!, accuracy: correct!.data[0]! / data.inputs.shape[0]! }
  })

/** Computes all metrics of the free run's outputs on a data set, as scikit-learn defines them. */
export const metrics = (
  trained: Trained,
  data: Dataset
): Effect.Effect<Metrics.Metrics, EngineFailed | ShapeMismatch, Engine> =>
  Effect.map(answers(trained, data), (output) => Metrics.of(trained.task, data.targets, output))
