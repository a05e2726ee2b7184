import { assert, describe, it } from "@effect/vitest"
import {
  Circuit,
  Dataset,
  Loss,
  Moons,
  type NdArray,
  type Parts,
  Plan,
  PlanSpec,
  Pseudorandom,
  ReferenceEngine,
  Score,
  TargetUnit,
  Training,
  type TrainingEvent
} from "@rai/core"
import { Effect, Stream } from "effect"

const [factor, offsets] = [40_000, [250_000, -7]] as const

const circuit = Circuit.perceptron([2, 6, 6, 2], { activation: "sigmoid" })

/** Two waves over the plane, of 32 points. */
const waves = (seed: number) =>
  Effect.gen(function* () {
    const inputs = { shape: [32, 2], data: Pseudorandom.make(seed).normals(64) }
    const y = Array.from({ length: 32 }, (_, i) => [Math.sin(2 * inputs.data[2 * i]!), 0.3 * inputs.data[2 * i + 1]!])
    const targets = { shape: [32, 2], data: Float64Array.from(y.flat()) }
    return yield* Dataset.make({ inputs, targets, task: "regression", inputNames: ["x1", "x2"] })
  })

const withTargets = (data: Dataset.Dataset, change: (y: number, output: number) => number) =>
  Dataset.make({ ...data, targets: { ...data.targets, data: data.targets.data.map((y, i) => change(y, i % 2)) } })

/** As prices: a y + b. */
const priced = (data: Dataset.Dataset) => withTargets(data, (y, output) => factor * y + offsets[output]!)

/** By hand: at mean 0 and, of both columns together, deviation 1. */
const standardised = (data: Dataset.Dataset) => {
  const y = Array.from(data.targets.data)
  const means = [0, 1].map((output) => y.filter((_, i) => i % 2 === output).reduce((a, b) => a + b) / 32)
  const squares = y.reduce((sum, y, i) => sum + (y - means[i % 2]!) ** 2, 0)
  const deviation = Math.sqrt(squares / 64)
  const scaled = withTargets(data, (y, output) => (y - means[output]!) / deviation)
  return Effect.map(scaled, (data) => ({ data, means, deviation }))
}

const losses = (events: ReadonlyArray<TrainingEvent.TrainingEvent>) =>
  events.flatMap((event) => {
    if (event._tag !== "Step" || event.measurement === undefined) return []
    const { freeRunLoss, relaxationGap, relaxedLoss, validationLoss } = event.measurement
    return [freeRunLoss, relaxedLoss ?? 0, relaxationGap ?? 0, validationLoss!]
  })

/** Answers a ŷ + b, up to the digits that float32 has of an offset. */
const met = (came: NdArray.NdArray, ŷ: NdArray.NdArray, a: number, b: ReadonlyArray<number>) => {
  for (const [i, y] of came.data.entries()) assert.closeTo((y - b[i % 2]!) / a, ŷ.data[i]!, 1e-5)
}

describe("a regression is trained in the unit of its targets", () => {
  for (const text of [
    "backpropagate:20:sgd=0.1",
    "relax:20:rprop=0.01:interval=5",
    "alternate:4:batch=8,backpropagate:4:adam=0.01:batch=8",
    "relax:5:sgd=0.05:output:interval=1,backpropagate:6:sgd=0.05:batch=16:clip=1"
  ]) {
    it.effect(`${text}: as by hand, and prices a y + b are met as y is`, () =>
      Effect.gen(function* () {
        const [data, validation] = [yield* waves(1), yield* waves(2)]
        const plan = Plan.inCoordinates(yield* PlanSpec.parse(text), "tanh")
        const byHand = yield* standardised(data)
        // A loss of its own is of targets as they are.
        const plain = new Plan.Plan({
          ...plan,
          phases: plan.phases.map((phase) => ({ ...phase, loss: Loss.meanSquaredError }))
        })
        const expected = yield* Training.fit(circuit, byHand.data, { plan: plain, seed: 3 })
        const answers = yield* Score.predict(expected, data.inputs)
        const [a, b] = [factor * byHand.deviation, byHand.means.map((mean, i) => factor * mean + offsets[i]!)]
        const prices = yield* priced(data)
        const events = yield* Stream.runCollect(
          Training.stream(circuit, prices, { plan, seed: 3, validation: yield* priced(validation) })
        )
        const own = yield* Stream.runCollect(Training.stream(circuit, data, { plan, seed: 3, validation }))
        const finished = events.at(-1)!
        if (finished._tag !== "Finished") return assert.fail("the last event is the end")
        // Losses are in the targets' own unit.
        const [large, small] = [losses(events), losses(own)]
        assert.isAbove(small.length, 4)
        for (const [i, loss] of small.entries()) assert.closeTo(large[i]! / factor ** 2, loss, 1e-6 * (1 + loss))
        const { loss } = yield* Score.score(finished.trained, prices)
        assert.closeTo(loss / finished.measurement.freeRunLoss, 1, 1e-5)
        // With validation data the best is kept, without it the last: the same plan without is what is done by hand.
        const trained = yield* Training.fit(circuit, prices, { plan, seed: 3 })
        met(yield* Score.predict(trained, data.inputs), answers, a, b)
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }

  it.effect("in parts too, whose first one says the unit", () =>
    Effect.gen(function* () {
      const [first, second] = [yield* waves(1), yield* waves(2)]
      const run = Effect.fnUntraced(function* (...sets: ReadonlyArray<Dataset.Dataset>) {
        const parts: Parts.Parts = { sizes: [32, 32], read: Stream.fromIterable(sets) }
        const plan = yield* PlanSpec.parse("backpropagate:3:sgd=0.1:batch=8")
        const trained = yield* Training.fit(circuit, sets[0]!, { plan, seed: 1, parts })
        return yield* Score.predict(trained, first.inputs)
      })
      const small = yield* run(first, second)
      const large = yield* run(yield* priced(first), yield* priced(second))
      met(large, small, factor, offsets)
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("but for classes, a loss of one's own, a circuit that no map ends, and what float32 does not hold", () =>
    Effect.gen(function* () {
      const data = yield* waves(1)
      const plan = Plan.relax({ steps: 1 })
      const { linear, repeat, residual, sequence, tanh } = Circuit
      const ends = (last: Circuit.Circuit) =>
        TargetUnit.taken(sequence(linear(2, 2), tanh, last), plan, data) !== undefined
      assert.isTrue(ends(linear(2, 2)))
      assert.isTrue(ends(repeat(linear(2, 2), 3)))
      assert.isFalse(ends(tanh))
      assert.isFalse(ends(residual(linear(2, 2))))
      assert.isFalse(ends(Circuit.branch(linear(2, 1), linear(2, 1))))
      assert.isFalse(ends(linear(2, 2, { bias: false })))
      const own = Plan.relax({ steps: 1, loss: Loss.huber(2) })
      assert.isUndefined(TargetUnit.taken(circuit, own, data))
      const classes = Circuit.perceptron([2, 4, 1], { activation: "tanh" })
      assert.isUndefined(TargetUnit.taken(classes, plan, yield* Moons.paper))
      assert.isUndefined(TargetUnit.taken(circuit, plan, yield* withTargets(data, (y) => 1e300 * y)))
      // What does not vary has no deviation to divide by.
      const constant = yield* withTargets(data, (_, output) => output + 0.1)
      assert.strictEqual(TargetUnit.taken(circuit, plan, constant)!.σ, 1)
    })
  )
})
