/**
 * Consumers of a run's events may fail or throw: the run ends, and its progress so far is on disk.
 */
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Checkpoint, Circuit, Moons, Plan, ReferenceEngine, Training, type TrainingEvent } from "@rai/core"
import { Cause, Effect, Exit, Layer, Schema, Stream } from "effect"

const circuit = Circuit.perceptron([2, 6, 6, 1], { activation: "tanh" })
const plan = Plan.relax({ steps: 20, interval: 2 }).pipe(Plan.andThen(Plan.backpropagate({ steps: 20, interval: 2 })))
const seed = 5

class Refused extends Schema.TaggedError<Refused>()("Refused", {}) {}

/** Data, checkpoints in a folder, the uninterrupted run's parameters, and an effect that resumes from the last checkpoint. */
const setting = Effect.gen(function* () {
  const data = yield* Moons.make({ examples: 22, seed: 1 })
  const folder = mkdtempSync(join(tmpdir(), "rai callbacks "))
  const identity = yield* Checkpoint.identity({ circuit, plan, seed, engine: "reference", data })
  const onSnapshot = (snapshot: Parameters<typeof Checkpoint.save>[2]) =>
    Effect.orDie(Effect.provide(Checkpoint.save(folder, identity, snapshot), NodeServices.layer))
  const goneOn = Effect.gen(function* () {
    const from = yield* Checkpoint.resume(folder, identity)
    return {
      from: from.progress.total,
      parameters: (yield* Training.fit(circuit, data, { plan, seed, from })).parameters
    }
  })
  const { parameters } = yield* Training.fit(circuit, data, { plan, seed })
  return { data, goneOn, onSnapshot, whole: parameters }
})

const layers = Layer.mergeAll(ReferenceEngine.layer, NodeServices.layer)

const late = ({ progress }: TrainingEvent.TrainingEvent): boolean => progress.total >= 27

const consumers: Readonly<Record<string, (event: TrainingEvent.TrainingEvent) => Effect.Effect<void, Refused>>> = {
  fails: (event) => (late(event) ? Effect.fail(new Refused()) : Effect.void),
  throws: (event) => {
    if (late(event)) throw new Refused()
    return Effect.void
  }
}

describe("a consumer of the stream", () => {
  for (const [what, consumer] of Object.entries(consumers)) {
    it.effect(`that ${what} ends the run with its own error; the run goes on from where it stood, to the bit`, () =>
      Effect.gen(function* () {
        const { data, goneOn, onSnapshot, whole } = yield* setting
        const events = Training.stream(circuit, data, { plan, seed, onSnapshot }).pipe(Stream.tap(consumer))
        const exit = yield* Effect.exit(Stream.runDrain(events))
        assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof Refused)
        const { from, parameters } = yield* goneOn
        assert.isAtLeast(from, 20)
        assert.deepStrictEqual(parameters, whole)
      }).pipe(Effect.provide(layers))
    )
  }
})

it.effect("a curve that throws midway ends the run as a defect; the run goes on from where it stood, to the bit", () =>
  Effect.gen(function* () {
    const { data, goneOn, onSnapshot, whole } = yield* setting
    let isLate = false
    const broken = new Plan.Plan({
      ...plan,
      phases: plan.phases.map((phase) => ({
        ...phase,
        curve: {
          ...phase.curve,
          at: (t: number) => {
            if (isLate) throw new Refused()
            return phase.curve.at(t)
          }
        }
      }))
    })
    const onEvent = (event: TrainingEvent.Underway) => {
      isLate = late(event)
      return Effect.void
    }
    const exit = yield* Effect.exit(Training.fit(circuit, data, { plan: broken, seed, onEvent, onSnapshot }))
    assert.isTrue(Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof Refused)
    const { from, parameters } = yield* goneOn
    assert.isAtLeast(from, 27)
    assert.deepStrictEqual(parameters, whole)
  }).pipe(Effect.provide(layers))
)

describe("onEvent", () => {
  it.effect("that throws ends the run with one line; where it stood is kept, and goes on to the bit", () =>
    Effect.gen(function* () {
      const { data, goneOn, onSnapshot, whole } = yield* setting
      const onEvent = (event: TrainingEvent.TrainingEvent): Effect.Effect<void> => {
        if (late(event)) throw new Error("the disk is on fire\nand more")
        return Effect.void
      }
      const error = yield* Effect.flip(Training.fit(circuit, data, { plan, seed, onEvent, onSnapshot }))
      assert.match(
        error.message,
        /^expected onEvent to end or to fail, but it threw at step \d+ of backpropagate: Error: the disk is on fire; see to it, and go on from the last snapshot$/
      )
      const { from, parameters } = yield* goneOn
      assert.isAtLeast(from, 27)
      assert.deepStrictEqual(parameters, whole)
    }).pipe(Effect.provide(layers))
  )

  it.effect("that gives no Effect does too", () =>
    Effect.gen(function* () {
      const { data } = yield* setting
      const onEvent = (() => undefined) as unknown as () => Effect.Effect<void>
      const error = yield* Effect.flip(Training.fit(circuit, data, { plan, seed, onEvent }))
      assert.match(error.message, /^expected onEvent to end or to fail, but .* it gave no Effect; see to it/)
    }).pipe(Effect.provide(layers))
  )

  it.effect("that fails does too, with its own error", () =>
    Effect.gen(function* () {
      const { data, goneOn, onSnapshot, whole } = yield* setting
      const onEvent = consumers.fails!
      const error = yield* Effect.flip(Training.fit(circuit, data, { plan, seed, onEvent, onSnapshot }))
      assert.instanceOf(error, Refused)
      const { from, parameters } = yield* goneOn
      assert.isAtLeast(from, 27)
      assert.deepStrictEqual(parameters, whole)
    }).pipe(Effect.provide(layers))
  )
})
