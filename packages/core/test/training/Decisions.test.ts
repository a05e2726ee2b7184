import { assert, describe, it } from "@effect/vitest"
import {
  Circuit,
  Dataset,
  Initializer,
  Moons,
  NdArray,
  Phase,
  Plan,
  ReferenceEngine,
  Rprop,
  Score,
  Sgd,
  Training,
  type TrainingEvent
} from "@rai/core"
import { Effect, Stream } from "effect"

const circuit = Circuit.perceptron([2, 8, 8, 8, 1], { activation: "tanh" })
const data = Moons.make({ examples: 30, seed: 1 })
const seed = 3

const run = Effect.fnUntraced(function* (options: Training.Options) {
  const events = yield* Stream.runCollect(Training.stream(circuit, yield* data, { seed, ...options }))
  const measured = events.filter(
    (event): event is TrainingEvent.Step => event._tag === "Step" && event.measurement !== undefined
  )
  const finished = events.at(-1)!
  return finished._tag === "Finished" ? { events, finished, measured } : assert.fail("the last event is the end")
})

/** The same points with flipped labels: the better the fit to the training data, the worse the fit to these. */
const contrary = Effect.gen(function* () {
  const { inputNames, inputs, targets } = yield* data
  const flipped = NdArray.make(
    targets.shape,
    Array.from(targets.data, (y) => 1 - y)
  )
  return yield* Dataset.make({ inputs, inputNames, targets: flipped, task: "binary" })
})

const careful = { patience: 30, divisor: 3, attempts: 2 }

describe("validation data decide which parameters are the best", () => {
  it.effect("the best is the last before these data are fitted worse, whatever the training data say", () =>
    Effect.gen(function* () {
      const phase = Phase.backpropagate({ steps: 40, interval: 1, optimizer: Rprop.make(0.01), careful })
      const validation = yield* contrary
      const plan = Plan.make(phase)
      const { finished, measured } = yield* run({ plan, validation })
      const losses = measured.map(({ measurement }) => measurement!.validationLoss!)
      const best = Math.min(...losses)
      assert.strictEqual(finished.progress.best, best)
      assert.strictEqual(finished.measurement.validationLoss, best)
      const score = yield* Score.score(finished.trained, validation)
      assert.approximately(score.loss, best, 1e-6)
      // Without them the run ends at what fits the training data best.
      const without = yield* run({ plan })
      const trainingLosses = without.measured.map(({ measurement }) => measurement!.freeRunLoss)
      assert.strictEqual(without.finished.measurement.freeRunLoss, Math.min(...trainingLosses))
      assert.isBelow(without.finished.measurement.freeRunLoss, finished.measurement.freeRunLoss - 0.1)
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("they are measured, with their accuracy, and change no step", () =>
    Effect.gen(function* () {
      const plan = Plan.make(Phase.relax({ steps: 15, interval: 5, optimizer: Rprop.make(0.01) }))
      const validation = yield* Moons.make({ examples: 17, seed: 9 })
      const [one, other] = [yield* run({ plan, validation }), yield* run({ plan })]
      assert.deepStrictEqual(one.finished.trained.parameters, other.finished.trained.parameters)
      const { loss, accuracy } = yield* Score.score(one.finished.trained, validation)
      assert.approximately(one.finished.measurement.validationLoss!, loss, 1e-6)
      assert.strictEqual(one.finished.measurement.validationAccuracy, accuracy)
      assert.isUndefined(other.finished.measurement.validationLoss)
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("a plan that stops early ends so many steps after the best, and with the best", () =>
    Effect.gen(function* () {
      const plan = Plan.backpropagate({ steps: 400, interval: 1, optimizer: Rprop.make(0.01) }).pipe(
        Plan.stoppingEarly(7)
      )
      const { finished, measured } = yield* run({ plan, validation: yield* contrary })
      const losses = measured.map(({ measurement }) => measurement!.validationLoss!)
      const best = losses.indexOf(Math.min(...losses))
      assert.strictEqual(measured.at(-1)!.progress.step, best + 7)
      assert.strictEqual(finished.measurement.validationLoss, losses[best])
      const score = yield* Score.score(finished.trained, yield* contrary)
      assert.approximately(score.loss, losses[best]!, 1e-6)
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("a stop is the training data's matter", () =>
    Effect.gen(function* () {
      const plan = Plan.make(Phase.backpropagate({ steps: 200, optimizer: Rprop.make(0.01) }))
      const stopping = plan.pipe(Plan.stoppingAt({ loss: 0.3 }))
      const { finished, measured } = yield* run({ plan: stopping, validation: yield* contrary })
      assert.isTrue(finished.solved)
      assert.isBelow(measured.at(-1)!.measurement!.freeRunLoss, 0.3)
      assert.isAbove(measured.at(-1)!.measurement!.validationLoss!, 0.3)
      // What it ends with is the validation data's.
      const losses = measured.map(({ measurement }) => measurement!.validationLoss!)
      assert.strictEqual(finished.measurement.validationLoss, Math.min(...losses))
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )
})

describe("λ = 0", () => {
  it.effect("trains the output's error alone: the hidden maps stay, the relaxed loss is L_y and falls", () =>
    Effect.gen(function* () {
      const plan = Plan.make(Phase.relax({ steps: 20, λ: 0, optimizer: Sgd.make(0.5), interval: 5 }))
      const { finished, measured } = yield* run({ plan })
      const start = Initializer.pytorch(circuit, seed)
      for (const name of ["0.weight", "0.bias", "1.*.1.weight", "1.*.1.bias"]) {
        assert.deepStrictEqual(Array.from(finished.trained.parameters[name]!.data), Array.from(start[name]!.data), name)
      }
      assert.notDeepEqual(
        Array.from(finished.trained.parameters["3.weight"]!.data),
        Array.from(start["3.weight"]!.data)
      )
      const relaxed = measured.map(({ measurement }) => measurement!.relaxedLoss!)
      assert.isBelow(relaxed.at(-1)!, relaxed[0]!)
      // Only the last auxiliary moved away from its prediction.
      const { residuals } = finished.measurement
      assert.isAbove(residuals.at(-1)!, 0)
      for (const residual of residuals.slice(0, -1)) assert.approximately(residual, 0, 1e-20)
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("a ramp that begins at 0 is no more than that at its first step", () =>
    Effect.gen(function* () {
      const ramp = { name: "late", at: (t: number) => (t < 0.5 ? 0 : 1) }
      const phase = Phase.relax({ steps: 8, ramp, optimizer: Sgd.make(0.5), interval: 1 })
      const { measured } = yield* run({ plan: Plan.make(phase) })
      const hidden = measured.map(({ measurement }) => measurement!.gradientNorms[0]!)
      assert.strictEqual(measured.length, 9)
      // The first auxiliary stays at its prediction, so nothing pulls at the first map, until λ is 1.
      for (const norm of hidden.slice(0, 5)) assert.approximately(norm, 0, 1e-12)
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )
})
