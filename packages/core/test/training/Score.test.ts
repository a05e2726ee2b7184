import { assert, it } from "@effect/vitest"
import { Circuit, Dataset, NdArray, Score, TfjsEngine, type Trained } from "@rai/core"
import { Effect } from "effect"

/** A circuit that answers one value, whatever comes in. */
const answering = (value: number): Trained.Trained => ({
  circuit: Circuit.linear(1, 1),
  parameters: { weight: NdArray.make([1, 1], [0]), bias: NdArray.make([1], [value]) },
  task: "regression",
  inputNames: ["x"],
  origin: { plan: "none", seed: 0, engine: "none", version: "0" }
})

it.layer(TfjsEngine.layer)("the loss of values is the mean of their squared errors, whatever float32 holds", (it) => {
  it.effect.each([
    // 2 ** 30 is a number of float32; between it and the next, 128 away, none is.
    { target: "far from zero", answer: 2 ** 30, errors: [1, -2, 3, 0], loss: 14 / 4 },
    { target: "tiny", answer: 0, errors: [3 * 2 ** -100, -(2 ** -100)], loss: 5 * 2 ** -200 }
  ])("$target", ({ answer, errors, loss }) =>
    Effect.gen(function* () {
      const data = yield* Dataset.make({
        inputs: NdArray.make([errors.length, 1], [...errors.keys()]),
        targets: { shape: [errors.length, 1], data: Float64Array.from(errors, (error) => answer + error) },
        task: "regression",
        inputNames: ["x"]
      })
      assert.deepStrictEqual(yield* Score.score(answering(answer), data), { loss })
    })
  )
})
