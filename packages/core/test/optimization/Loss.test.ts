import { assert, describe, it } from "@effect/vitest"
import { Engine, Gradient, Loss, Metrics, Program, ReferenceEngine, TfjsEngine } from "@rai/core"
import { Effect } from "effect"
import * as Fixture from "../fixtures/Fixture.ts"

/** Written by losses.py: PyTorch in float64. */
const { output: recorded } = Fixture.read<{
  readonly output: Readonly<
    Record<
      keyof typeof Loss.forTask,
      {
        readonly o: Fixture.Numbers
        readonly y: Fixture.Numbers
        readonly value: number
        readonly gradients: readonly [Fixture.Numbers]
      }
    >
  >
}>("losses.json")

const tasks = Object.keys(Loss.forTask) as ReadonlyArray<keyof typeof Loss.forTask>

const agrees = (task: keyof typeof Loss.forTask, tolerance: number) =>
  Effect.gen(function* () {
    const { gradients, value, ...given } = recorded[task]
    const [o, y] = [Fixture.array(given.o), Fixture.array(given.y)]
    const loss = yield* Program.make({ o: o.shape, y: y.shape }, (of) => ({ loss: Loss.forTask[task](of.o, of.y) }))
    const came = yield* Engine.run(yield* Gradient.make({ of: "loss", inputs: ["o"] })(loss), { o, y })
    Fixture.near(came.loss!, value, tolerance, "the loss")
    Fixture.near(came["gradient/o"]!, gradients[0], tolerance, "∂/∂o")
  })

describe("output losses are PyTorch's, with their gradients, for logits up to ±900", () => {
  for (const task of tasks) {
    it.effect(`${task}, float64 within 1e-12`, () => agrees(task, 1e-12).pipe(Effect.provide(ReferenceEngine.layer)))
    it.effect(`${task}, libtensorflow within 1e-6`, () =>
      agrees(task, 1e-6).pipe(Effect.provide(TfjsEngine.layerNative))
    )
  }
})

/** Losses with settings, on the same logits or values as those without. */
const { settings } = Fixture.read<{
  readonly settings: Readonly<
    Record<string, { readonly value: number; readonly gradients: readonly [Fixture.Numbers] }>
  >
}>("losses.json")

const withSettings = {
  weightedCrossEntropy: ["classes", Loss.weightedCrossEntropy({ weights: [0.5, 2, 3], smoothing: 0.1 })],
  weightedBinaryCrossEntropy: ["binary", Loss.weightedBinaryCrossEntropy(2.5)],
  meanAbsoluteError: ["regression", Loss.meanAbsoluteError],
  huber: ["regression", Loss.huber(0.7)]
} as const

describe("losses that one chooses are PyTorch's, with their gradients", () => {
  for (const [name, [task, loss]] of Object.entries(withSettings)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const [o, y] = [Fixture.array(recorded[task].o), Fixture.array(recorded[task].y)]
        const program = yield* Program.make({ o: o.shape, y: y.shape }, (of) => ({ loss: loss(of.o, of.y) }))
        const came = yield* Engine.run(yield* Gradient.make({ of: "loss", inputs: ["o"] })(program), { o, y })
        Fixture.near(came.loss!, settings[name]!.value, 1e-12, "the loss")
        Fixture.near(came["gradient/o"]!, settings[name]!.gradients[0], 1e-12, "∂/∂o")
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }
})

it.effect("weights for other classes than there are are named", () =>
  Effect.gen(function* () {
    const loss = Loss.weightedCrossEntropy({ weights: [2] })
    const error = yield* Effect.flip(Program.make({ o: [4, 3], y: [4, 3] }, ({ o, y }) => ({ loss: loss(o, y) })))
    assert.strictEqual(
      error.message,
      "weighted cross-entropy: expected 3 class weights, but 1 came; give one weight for each class"
    )
  })
)

it.effect("what is no share, and a bound that is none, are named", () =>
  Effect.gen(function* () {
    for (const [loss, message] of [
      [
        Loss.weightedCrossEntropy({ smoothing: 2 }),
        "weighted cross-entropy: expected a label smoothing from 0 to 1, but 2 came; give for instance 0.1"
      ],
      [Loss.huber(-1), "huber: expected a δ above 0, but -1 came; give for instance 1"]
    ] as const) {
      const error = yield* Effect.flip(Program.make({ o: [4, 3], y: [4, 3] }, ({ o, y }) => ({ loss: loss(o, y) })))
      assert.strictEqual(error.message, message)
    }
  })
)

it.effect("the cross-entropy of a single logit, which would always be 0, is refused", () =>
  Effect.gen(function* () {
    for (const loss of [Loss.softmaxCrossEntropy, Loss.weightedCrossEntropy({})]) {
      const error = yield* Effect.flip(Program.make({ o: [4, 1], y: [4, 1] }, ({ o, y }) => ({ loss: loss(o, y) })))
      assert.include(error.message, "cross-entropy: expected two logits or more, but 1 came; give one logit a class")
    }
  })
)

describe("correct answers", () => {
  const correct = (o: Fixture.Numbers, y: Fixture.Numbers) =>
    Effect.gen(function* () {
      const [a, b] = [Fixture.array(o), Fixture.array(y)]
      const program = yield* Program.make({ a: a.shape, b: b.shape }, (of) => ({ n: Loss.correct(of.a, of.b) }))
      return (yield* Engine.run(program, { a, b })).n!.data[0]
    }).pipe(Effect.provide(ReferenceEngine.layer))

  it.effect("by the logit's sign, 0 being no", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* correct([[1], [-1], [0], [2]], [[1], [0], [0], [0]]), 3)
    })
  )

  for (const [name, layer] of [
    ["float64", ReferenceEngine.layer],
    ["libtensorflow", TfjsEngine.layerNative]
  ] as const) {
    it.effect(`are none where a logit is NaN, as the metrics count: ${name}`, () =>
      Effect.gen(function* () {
        for (const [o, y] of [
          [
            [[Number.NaN], [Number.NaN], [2], [Number.POSITIVE_INFINITY]],
            [[0], [1], [1], [1]]
          ],
          [
            [
              [Number.NaN, 1],
              [1, Number.NaN],
              [3, 1],
              [Number.POSITIVE_INFINITY, 1]
            ],
            [
              [1, 0],
              [1, 0],
              [1, 0],
              [1, 0]
            ]
          ]
        ] as const) {
          const [a, b] = [Fixture.array(o), Fixture.array(y)]
          const program = yield* Program.make({ a: a.shape, b: b.shape }, (of) => ({ n: Loss.correct(of.a, of.b) }))
          const { n } = yield* Engine.run(program, { a, b })
          const task = y[0]!.length === 1 ? "binary" : "classes"
          assert.strictEqual(n!.data[0], 2)
          assert.strictEqual((Metrics.of(task, b, a) as Metrics.OfClasses).accuracy, 2 / 4)
        }
      }).pipe(Effect.provide(layer))
    )
  }

  it.effect("by the largest logit", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* correct(
          [
            [1, 2, 0],
            [5, -1, 4]
          ],
          [
            [0, 1, 0],
            [0, 0, 1]
          ]
        ),
        1
      )
    })
  )
})
