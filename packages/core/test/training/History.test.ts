import { assert, describe, it } from "@effect/vitest"
import { Circuit, History, Moons, Plan, ReferenceEngine, Training } from "@rai/core"
import { Row } from "@rai/core/schema"
import { Effect, Schema, Stream } from "effect"

const row = (changes: Partial<History.Row>): History.Row => ({
  phase: "relax",
  step: 0,
  total: 0,
  seconds: 0,
  freeRunLoss: 1,
  residuals: [],
  gradientNorms: [],
  ...changes
})

const history = [
  row({ relaxedLoss: 0.5, residuals: [4, 1, 2], gradientNorms: [3, 1] }),
  row({ step: 10, total: 10, seconds: 0.5, freeRunLoss: null, relaxedLoss: 0.25, residuals: [1, null, 2] }),
  row({ phase: "backpropagate", total: 10, seconds: 0.5, freeRunLoss: 0.75, gradientNorms: [2] })
]

describe("a history", () => {
  it("is a table by columns: of many places the smallest, median and largest, NaN for what was none", () => {
    assert.deepStrictEqual(History.columns(history), {
      step: [0, 10, 0],
      total: [0, 10, 10],
      seconds: [0, 0.5, 0.5],
      freeRunLoss: [1, Number.NaN, 0.75],
      relaxedLoss: [0.5, 0.25, Number.NaN],
      medianResidual: [2, Number.NaN, Number.NaN],
      largestResidual: [4, Number.NaN, Number.NaN],
      smallestGradient: [1, Number.NaN, 2],
      medianGradient: [2, Number.NaN, 2],
      largestGradient: [3, Number.NaN, 2]
    })
    assert.deepStrictEqual(History.columns([]), {})
  })

  it("is CSV: NaN where a number was none, nothing where none was due", () => {
    assert.deepStrictEqual(History.csv(history).split("\n"), [
      "phase,step,total,seconds,freeRunLoss,relaxedLoss,medianResidual,largestResidual,smallestGradient,medianGradient,largestGradient",
      "relax,0,0,0,1,0.5,2,4,1,2,3",
      "relax,10,10,0.5,NaN,0.25,NaN,NaN,,,",
      "backpropagate,0,10,0.5,0.75,,,,2,2,2",
      ""
    ])
  })

  it.effect("of a run has a row for each measurement, which comes back from JSON as it was", () =>
    Effect.gen(function* () {
      const data = yield* Moons.make({ examples: 12, seed: 1 })
      const circuit = Circuit.perceptron([2, 3, 1], { activation: "tanh" })
      const plan = Plan.relax({ steps: 6, interval: 3 }).pipe(
        Plan.andThen(Plan.backpropagate({ steps: 4, interval: 2 }))
      )
      const rows = History.of(yield* Stream.runCollect(Training.stream(circuit, data, { plan, validation: data })))
      assert.deepStrictEqual(
        rows.map(({ phase, step, total }) => [phase, step, total]),
        [
          ["relax", 0, 0],
          ["relax", 3, 3],
          ["relax", 6, 6],
          ["backpropagate", 0, 6],
          ["backpropagate", 2, 8],
          ["backpropagate", 4, 10]
        ]
      )
      const { freeRunLoss, validationLoss } = History.columns(rows)
      validationLoss!.forEach((loss, i) => {
        assert.approximately(loss, freeRunLoss![i]!, 1e-12)
      })
      const read = yield* Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Array(Row)))(JSON.stringify(rows))
      assert.deepStrictEqual(History.columns(read), History.columns(rows))
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )
})
