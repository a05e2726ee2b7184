import { assert, describe, it } from "@effect/vitest"
import {
  type Block,
  Checkpoint,
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
  Rprop,
  Score,
  Seed,
  Sgd,
  TargetUnit,
  Training,
  type TrainingEvent
} from "@rai/core"
import { Effect, Record, Stream } from "effect"

const [factors, offsets] = [
  [40_000, 0.02],
  [250_000, -7]
] as const

const circuit = Circuit.perceptron([2, 6, 6, 2], { activation: "sigmoid" })

/** Makes a data set of 32 points in the plane with two regression targets, a wave and a slope. */
const waves = (seed: number) =>
  Effect.gen(function* () {
    const inputs = { shape: [32, 2], data: Pseudorandom.make(seed).normals(64) }
    const y = Array.from({ length: 32 }, (_, i) => [Math.sin(2 * inputs.data[2 * i]!), 0.3 * inputs.data[2 * i + 1]!])
    const targets = { shape: [32, 2], data: Float64Array.from(y.flat()) }
    return yield* Dataset.make({ inputs, targets, task: "regression", inputNames: ["x1", "x2"] })
  })

const withTargets = (data: Dataset.Dataset, change: (y: number, output: number) => number) =>
  Dataset.make({ ...data, targets: { ...data.targets, data: data.targets.data.map((y, i) => change(y, i % 2)) } })

/** Rescales the targets to a price and a small share: a y + b. */
const priced = (data: Dataset.Dataset) => withTargets(data, (y, output) => factors[output]! * y + offsets[output]!)

/** Standardises targets by hand with the first set's means and deviations: each column has mean 0 and deviation 1. */
const standardised = (data: Dataset.Dataset, ...others: ReadonlyArray<Dataset.Dataset>) =>
  Effect.gen(function* () {
    const columns = [0, 1].map((output) => Array.from(data.targets.data).filter((_, i) => i % 2 === output))
    const means = columns.map((y) => y.reduce((a, b) => a + b) / 32)
    const variances = columns.map((y, k) => y.reduce((sum, y) => sum + (y - means[k]!) ** 2, 0) / 32)
    const scaled = (set: Dataset.Dataset) =>
      withTargets(set, (y, output) => (y - means[output]!) / Math.sqrt(variances[output]!))
    return { sets: yield* Effect.forEach([data, ...others], scaled), means, variances }
  })

/** Returns the plan trained on targets as they are: an explicit loss turns their standardisation off. */
const plain = (plan: Plan.Plan) =>
  new Plan.Plan({ ...plan, phases: plan.phases.map((phase) => ({ ...phase, loss: Loss.meanSquaredError })) })

const losses = (events: ReadonlyArray<TrainingEvent.TrainingEvent>) =>
  events.flatMap((event) => {
    if (event._tag !== "Step" || event.measurement === undefined) return []
    const { freeRunLoss, relaxationGap, relaxedLoss, validationLoss } = event.measurement
    return [freeRunLoss, relaxedLoss ?? 0, relaxationGap ?? 0, validationLoss!]
  })

/** Checks answers against those of a circuit trained on hand-standardised targets, up to the digits that float32 keeps beside an offset. */
const met = (
  came: NdArray.NdArray,
  ŷ: NdArray.NdArray,
  { means, variances }: { readonly means: ReadonlyArray<number>; readonly variances: ReadonlyArray<number> }
) => {
  for (const [i, y] of came.data.entries()) {
    assert.closeTo((y - means[i % 2]!) / Math.sqrt(variances[i % 2]!), ŷ.data[i]!, 1e-5)
  }
}

describe("a regression is trained in the unit of its targets", () => {
  for (const text of [
    "backpropagate:20:sgd=0.1",
    "relax:20:rprop=0.01:interval=5",
    "alternate:4:batch=8,backpropagate:4:adam=0.01:batch=8",
    "relax:5:sgd=0.05:output:interval=1,backpropagate:6:sgd=0.05:batch=16:clip=1"
  ]) {
    it.effect(`${text}: as by hand`, () =>
      Effect.gen(function* () {
        const plan = Plan.inCoordinates(yield* PlanSpec.parse(text), "tanh")
        const [data, validation] = [yield* priced(yield* waves(1)), yield* priced(yield* waves(2))]
        const byHand = yield* standardised(data, validation)
        const [own, other] = byHand.sets as [Dataset.Dataset, Dataset.Dataset]
        const expected = yield* Training.fit(circuit, own, { plan: plain(plan), seed: 3 })
        const trained = yield* Training.fit(circuit, data, { plan, seed: 3 })
        met(yield* Score.predict(trained, data.inputs), yield* Score.predict(expected, data.inputs), byHand)
        // The last losses are the mean squared errors of what the run gives, however different the outputs' units are.
        const run = yield* Training.run(circuit, data, { plan: Plan.inCoordinates(plan, "plain"), seed: 3, validation })
        const { freeRunLoss, validationLoss } = run.measurement
        const error = (set: Dataset.Dataset) => Effect.map(Score.score(run.trained, set), ({ loss }) => loss)
        assert.closeTo(freeRunLoss / (yield* error(data)), 1, 1e-5)
        assert.closeTo(validationLoss! / (yield* error(validation)), 1, 1e-5)
        // Of targets whose deviations are all 7, every loss is 49 times that of deviations of 1.
        const sevenfold = yield* Effect.forEach([own, other], (set) => withTargets(set, (y) => 7 * y))
        const [come, hand] = yield* Effect.forEach(
          [
            { set: sevenfold, plan },
            { set: [own, other], plan: plain(plan) }
          ],
          ({ plan, set: [set, validation] }) =>
            Effect.map(Stream.runCollect(Training.stream(circuit, set!, { plan, seed: 3, validation })), losses)
        )
        assert.isAbove(come!.length, 4)
        for (const [i, loss] of hand!.entries()) assert.closeTo(come![i]! / 49, loss, 1e-6 * (1 + loss))
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }

  it.effect("what is measured of one target, and ends the run, is its mean squared error", () =>
    Effect.gen(function* () {
      const both = yield* priced(yield* waves(1))
      const prices = both.targets.data.filter((_, i) => i % 2 === 0)
      const data = yield* Dataset.make({ ...both, targets: { shape: [32, 1], data: prices } })
      const one = Circuit.perceptron([2, 6, 1], { activation: "tanh" })
      const backpropagating = Plan.backpropagate({ steps: 400, optimizer: Rprop.make(0.01), interval: 1 })
      const first = yield* Training.run(one, data, { plan: Plan.backpropagate({ steps: 1 }), seed: 1 })
      const variance = first.measurement.freeRunLoss
      for (const stop of [{ loss: 0.2 * variance }, { loss: 1e-9, share: 0.2 }]) {
        const plan = Plan.stoppingAt(backpropagating, stop)
        const { measurement, progress, solved, trained } = yield* Training.run(one, data, { plan, seed: 1 })
        assert.isTrue(solved)
        assert.isBelow(progress.total, 400)
        const { loss } = yield* Score.score(trained, data)
        assert.closeTo(loss / measurement.freeRunLoss, 1, 1e-5)
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("what decides is the share of variance left of each of several targets, whatever its size", () =>
    Effect.gen(function* () {
      const careful = { patience: 2, divisor: 3, attempts: 6 }
      const relaxing = yield* PlanSpec.parse("relax:20:rprop=0.01:interval=5")
      const plan = relaxing.pipe(
        Plan.andThen(Plan.backpropagate({ steps: 300, optimizer: Rprop.make(0.1), interval: 1, careful })),
        Plan.stoppingAt({ loss: 1e-9, share: 1e-3 })
      )
      const [equal, other] = [yield* waves(1), yield* waves(2)]
      for (const held of [undefined, other]) {
        const decided = (factors: readonly [number, number]) =>
          Effect.gen(function* () {
            const sized = (set: Dataset.Dataset) => withTargets(set, (y, output) => factors[output]! * y)
            const [data, validation] = [yield* sized(equal), held && (yield* sized(held))]
            const events = yield* Stream.runCollect(Training.stream(circuit, data, { plan, seed: 3, validation }))
            const finished = events.at(-1)!
            assert(finished._tag === "Finished")
            const { measurement, progress, solved, trained } = finished
            const metrics = yield* Score.metrics(trained, data)
            assert(metrics.task === "regression")
            assert.closeTo(measurement.freeRunShare!, 1 - metrics.r2, 1e-6)
            assert.closeTo(TargetUnit.left(TargetUnit.of(data.targets), metrics), 1 - metrics.r2, 1e-6)
            const rewound = events.flatMap((event) => (event._tag === "Rewound" ? event.progress.step : []))
            return { solved, steps: progress.total, rewound, fits: metrics.ofTargets.map(({ r2 }) => r2) }
          })
        const [same, far] = [yield* decided([1, 1]), yield* decided([1e6, 1e-3])]
        const { fits, ...course } = far
        assert.deepStrictEqual(course, { solved: same.solved, steps: same.steps, rewound: same.rewound })
        assert.isAbove(same.rewound.length, 0)
        for (const [k, r2] of fits.entries()) assert.closeTo(r2, same.fits[k]!, 1e-6)
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("in parts too, whose first one says the unit", () =>
    Effect.gen(function* () {
      const [first, second] = [yield* priced(yield* waves(1)), yield* priced(yield* waves(2))]
      const plan = yield* PlanSpec.parse("backpropagate:3:sgd=0.1:batch=8")
      const run = (sets: ReadonlyArray<Dataset.Dataset>, plan: Plan.Plan) =>
        Effect.gen(function* () {
          const parts: Parts.Parts = { sizes: [32, 32], read: Stream.fromIterable(sets) }
          return yield* Score.predict(yield* Training.fit(circuit, sets[0]!, { plan, seed: 1, parts }), first.inputs)
        })
      const byHand = yield* standardised(first, second)
      met(yield* run([first, second], plan), yield* run(byHand.sets, plain(plan)), byHand)
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("a last map that says where it starts says it in the targets' own unit", () =>
    Effect.gen(function* () {
      const data = yield* priced(yield* waves(1))
      const { linear, sequence, tanh } = Circuit
      const trained = yield* Training.fit(sequence(linear(2, 4), tanh, linear(4, 2)), data, {
        plan: Plan.backpropagate({ steps: 200, optimizer: Rprop.make(0.01) }),
        seed: 1
      })
      const started = (of: Block.Block, path: string): Block.Block => ({
        ...of,
        parameters: Record.map(of.parameters, (parameter, name) => ({
          ...parameter,
          initial: trained.parameters[`${path}.${name}`]!
        }))
      })
      const again = sequence(started(linear(2, 4), "0"), tanh, started(linear(4, 2), "2"))
      const still = yield* Training.fit(again, data, {
        plan: Plan.backpropagate({ steps: 1, optimizer: Sgd.make(1e-12) })
      })
      const [before, after] = [yield* Score.score(trained, data), yield* Score.score(still, data)]
      assert.closeTo(after.loss / before.loss, 1, 1e-5)
    }).pipe(Effect.provide(ReferenceEngine.layer), Effect.provideService(Seed, 1))
  )

  it.effect("which a checkpoint says", () =>
    Effect.gen(function* () {
      const data = yield* waves(1)
      const identity = (plan: Plan.Plan) =>
        Effect.map(Checkpoint.identity({ circuit, plan, data, seed: 0, engine: "reference" }), (of) => of.coordinates)
      const plan = Plan.relax({ steps: 1 })
      assert.strictEqual(yield* identity(plan), "plain, standardised targets")
      assert.strictEqual(yield* identity(plain(plan)), "plain")
    })
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
      assert.isFalse(ends({ ...linear(2, 2), kind: "my-own" }))
      assert.isUndefined(TargetUnit.taken(circuit, plain(plan), data))
      const classes = Circuit.perceptron([2, 4, 1], { activation: "tanh" })
      assert.isUndefined(TargetUnit.taken(classes, plan, yield* Moons.paper))
      assert.isUndefined(TargetUnit.taken(circuit, plan, yield* withTargets(data, (y) => 1e300 * y)))
      // What does not vary has no deviation to divide by.
      const constant = yield* withTargets(data, (_, output) => output + 0.1)
      const unit = TargetUnit.taken(circuit, plan, constant)!
      assert.deepStrictEqual([unit.σ, unit.variance], [[1, 1], 1])
    })
  )

  it.effect("which a person is told, or why not where it matters", () =>
    Effect.gen(function* () {
      const small = yield* waves(1)
      const data = yield* priced(small)
      const plan = Plan.relax({ steps: 1 })
      const { linear, sequence, tanh } = Circuit
      const told = (circuit: Circuit.Circuit, plan: Plan.Plan, data: Dataset.Dataset) =>
        TargetUnit.describe(circuit, plan, data).join()
      assert.match(told(circuit, plan, data), /^targets are brought .* \(means 2\d+, -7.*; deviations .*\); losses/)
      const bounded = sequence(linear(2, 2), tanh)
      assert.match(told(bounded, plan, data), /^warning: targets .* since the circuit does not end with a block linear/)
      assert.match(told(circuit, plain(plan), data), /^warning: .* since the plan has a loss of its own$/)
      const huge = yield* withTargets(small, (y) => 1e300 * y)
      assert.match(told(circuit, plan, huge), /^warning: .* since float32 does not hold their size$/)
      assert.strictEqual(told(bounded, plan, small), "")
      assert.strictEqual(told(circuit, plan, yield* withTargets(small, () => 7)), "")
    })
  )
})
