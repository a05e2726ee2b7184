import { assert, describe, it } from "@effect/vitest"
import {
  Batches,
  Circuit,
  type Engine,
  Engine as Engines,
  Initializer,
  Moons,
  type PhaseRun,
  PlanSpec,
  Programs,
  ReferenceEngine,
  Safetensors,
  TfjsEngine,
  Training,
  TrainingFailed
} from "@rai/core"
import { Effect, type Layer, Stream } from "effect"
import * as Rates from "../../src/training/Rates.ts"

const circuit = Circuit.perceptron([2, 6, 6, 6, 1], { activation: "relu" })
const data = Moons.make({ examples: 20, seed: 1 })
const seed = 4

/** Plans in which numbers are lost some steps after the start, and between two measurements. */
const losing: ReadonlyArray<string> = [
  "backpropagate:40:sgd=30",
  "backpropagate:40:rmsprop=1000+decay=1",
  "backpropagate:20:sgd=30:batch=6:interval=4",
  "relax:40:sgd=1:energy=sum",
  "relax:40:sgd=0.001:z-sgd=100:energy=sum:refresh=30",
  "alternate:20:muon=30+decay=0:batch=6:interval=5"
]

const engines: ReadonlyArray<readonly [string, Layer.Layer<Engine.Engine, { readonly message: string }>]> = [
  ["float64", ReferenceEngine.layer],
  ["libtensorflow", TfjsEngine.layerNative]
]

const isFinite = (arrays: Engine.Arrays, name: string) => arrays[name]!.data.every(Number.isFinite)

/** The phase's steps one by one, without the loop of training: what is trained, after each step until some of it is not finite. */
const stepByStep = Effect.fnUntraced(function* (text: string) {
  const [phase] = (yield* PlanSpec.parse(text)).phases
  const { inputs: x, targets: y } = yield* data
  const programs = yield* Programs.make({ circuit, task: "binary", x: x.shape, y: y.shape }, phase!)
  const engine = yield* Engines.Engine
  const session = yield* engine.session({ x, y, ...Initializer.pytorch(circuit, seed) })
  if (programs.refresh !== undefined) yield* session.write(yield* session.advance(programs.refresh))
  yield* session.write(programs.slots(1))
  const names = [...Object.keys(Circuit.parameters(circuit)), ...Object.keys(programs.refresh?.outputs ?? {})]
  const size = phase!.batch ?? 20
  const perEpoch = Math.floor(20 / size)
  const total = (phase!.steps ?? phase!.epochs * perEpoch) as number
  for (let step = 0; step < total; step++) {
    const order = Batches.indices(20, size, seed, Math.floor(step / perEpoch))
    const rows = phase!.batch === undefined ? undefined : order[step % perEpoch]!
    const batch = rows === undefined ? {} : { x: Batches.rows(x, rows), y: Batches.rows(y, rows) }
    yield* session.advance(programs.step, { ...Rates.values(phase!, 1, step / total), ...batch })
    const trained = yield* session.read(names)
    const lost = names.filter((name) => !isFinite(trained, name))
    if (lost.length > 0) return { step: step + 1, lost }
  }
  return assert.fail("some number is lost")
}, Effect.scoped)

const withoutTurn = (path: string) => path.replace(/\.\d+\.(?=\d)/, ".*.")

for (const [name, layer] of engines) {
  describe(`numbers that are lost on ${name}`, () => {
    for (const text of losing) {
      it.effect(`${text}: the step and the array are those of a run step by step, what is kept is finite`, () =>
        Effect.gen(function* () {
          const expected = yield* stepByStep(text)
          const kept: Array<PhaseRun.Snapshot> = []
          const onSnapshot = (snapshot: PhaseRun.Snapshot) => Effect.sync(() => void kept.push(snapshot))
          const plan = yield* PlanSpec.parse(text)
          const error = yield* Effect.flip(Training.fit(circuit, yield* data, { plan, seed, onSnapshot }))
          if (!(error instanceof TrainingFailed.NumbersLost)) return assert.fail(String(error))
          assert.isAbove(error.step, 1)
          assert.strictEqual(error.step, expected.step)
          assert.include(expected.lost, withoutTurn(error.path))
          assert.strictEqual(error.rate, plan.phases[0]!.optimizer.rate)
          const { progress, state } = kept.at(-1)!
          assert.isBelow(progress.step, error.step)
          for (const array of Object.keys(state)) assert.isTrue(isFinite(state, array), array)
          const from = { progress, state: yield* Safetensors.decode(Safetensors.encode(state)) }
          const again = yield* Effect.flip(Training.fit(circuit, yield* data, { plan, seed, from }))
          assert.deepStrictEqual({ ...again }, { ...error })
        }).pipe(Effect.provide(layer))
      )

      it.effect(`${text}: a careful plan goes back, says where they were lost, and ends finite`, () =>
        Effect.gen(function* () {
          const plan = yield* PlanSpec.parse(text)
          const [phase] = plan.phases
          const careful = { patience: Number.POSITIVE_INFINITY, divisor: 1000, attempts: 5 }
          const expected = yield* stepByStep(text)
          const events = yield* Stream.runCollect(
            Training.stream(circuit, yield* data, {
              plan: { ...plan, phases: [{ ...phase!, careful }] } as never,
              seed
            })
          )
          const rewound = events.filter((event) => event._tag === "Rewound")
          assert.isNotEmpty(rewound)
          const [first] = rewound
          assert.strictEqual(first!.lost!.step, expected.step)
          assert.include(expected.lost, withoutTurn(first!.lost!.path))
          assert.strictEqual(first!.progress.rate, phase!.optimizer.rate / 1000)
          const finished = events.at(-1)!
          if (finished._tag !== "Finished") return assert.fail("the last event is the end")
          assert.isTrue(Number.isFinite(finished.measurement.freeRunLoss))
          const { parameters } = finished.trained
          for (const array of Object.keys(parameters)) assert.isTrue(isFinite(parameters, array), array)
        }).pipe(Effect.provide(layer))
      )
    }
  })
}
