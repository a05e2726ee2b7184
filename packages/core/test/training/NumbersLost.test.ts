import { assert, describe, it } from "@effect/vitest"
import {
  Batches,
  Circuit,
  DataInvalid,
  Dataset,
  Engine,
  Initializer,
  Moons,
  type PhaseRun,
  PhaseState,
  Plan,
  PlanSpec,
  Programs,
  ReferenceEngine,
  Safetensors,
  TargetUnit,
  TfjsEngine,
  Training,
  type TrainingEvent,
  TrainingFailed
} from "@rai/core"
import { Effect, type Layer, Option, Stream } from "effect"
import * as Rates from "../../src/training/Rates.ts"

const circuit = Circuit.perceptron([2, 6, 6, 6, 1], { activation: "leaky-relu" })
const [examples, seed] = [20, 4]

/** A regression, so that errors are unbounded. */
const data = Effect.gen(function* () {
  const { inputNames, inputs, targets } = yield* Moons.make({ examples, seed: 1 })
  return yield* Dataset.make({ inputs, targets, inputNames, task: "regression" })
})

/** Plans that lose their numbers some steps after the start, mostly between two measurements. */
const losing: ReadonlyArray<string> = [
  "backpropagate:40:sgd=10",
  "backpropagate:20:sgd=10:batch=6:interval=4",
  "relax:40:sgd=0.1:energy=sum:interval=6",
  "relax:40:sgd=3:interval=7",
  "relax:40:sgd=0.001:z-sgd=3:energy=sum:refresh=30",
  "relax:20:sgd=3:batch=6:interval=3",
  "relax:20:sgd=0.01:z-sgd=300:batch=6:interval=3",
  "alternate:20:muon=100000+decay=1:batch=6:interval=5:curve=constant"
]

const engines: ReadonlyArray<readonly [string, Layer.Layer<Engine.Engine, { readonly message: string }>]> = [
  ["float64", ReferenceEngine.layer],
  ["libtensorflow", TfjsEngine.layerNative]
]

const isFinite = (arrays: Engine.Arrays, name: string) => arrays[name]!.data.every(Number.isFinite)

/** Runs a phase step by step, without the training loop, until an array or a measured loss is not finite; returns the step and their names. */
const stepByStep = Effect.fnUntraced(function* (text: string) {
  const [phase] = (yield* PlanSpec.parse(text)).phases
  const { inputs: x, targets } = yield* data
  const y = TargetUnit.into(TargetUnit.of(targets), targets)
  const subject = { circuit, task: "regression", x: x.shape, y: y.shape } as const
  const layout = yield* PhaseState.make(subject, phase!)
  const { perExample, slots } = layout
  const { measure, refresh, step } = yield* Programs.make(subject, phase!, layout)
  const { run } = yield* Engine.Engine
  let state: Engine.Arrays = { x, y, ...Initializer.pytorch(circuit, seed) }
  if (refresh !== undefined) state = { ...state, ...(yield* run(refresh, state)) }
  for (const slot of slots(1)) state = { ...state, ...slot() }
  const trained = [...Object.keys(Circuit.parameters(circuit)), ...Object.keys(refresh?.outputs ?? {})]
  const size = phase!.batch ?? examples
  const perEpoch = Math.floor(examples / size)
  const total = phase!.steps ?? phase!.epochs * Math.floor(examples / phase!.batch)
  for (let done = 0; done < total; done++) {
    const batch = Batches.indices(examples, size, seed, Math.floor(done / perEpoch))[done % perEpoch]!
    const rows: ReadonlyArray<readonly [string, 0 | 1]> =
      phase!.batch === undefined ? [] : [["x", 0], ["y", 0], ...perExample]
    const taken = Object.fromEntries(rows.map(([name, axis]) => [name, Batches.rows(state[name]!, batch, axis)]))
    const next = { ...(yield* run(step, { ...state, ...taken, ...Rates.values(phase!, 1, done / total) })) }
    for (const [name, axis] of perExample) {
      const wide = next[name]!.data instanceof Float64Array
      const all = { ...state[name]!, data: (wide ? Float64Array : Float32Array).from(state[name]!.data) }
      Batches.scatter(all, batch, next[name]!, axis)
      next[name] = all
    }
    state = { ...state, ...next }
    const due = (done + 1) % (phase!.interval * perEpoch) === 0
    const { freeRunLoss, relaxedLoss } = due ? yield* run(measure, state) : {}
    const losses = Float64Array.of(freeRunLoss?.data[0] ?? 0, relaxedLoss?.data[0] ?? 0)
    const all: Engine.Arrays = { ...state, "the loss": { shape: [2], data: losses } }
    const lost = [...trained, "the loss"].filter((name) => !isFinite(all, name))
    if (lost.length > 0) return { step: done + 1, lost }
  }
  return assert.fail("some number is lost")
})

const withoutTurn = (path: string) => path.replace(/\.\d+\.(?=\d)/, ".*.")

for (const [name, layer] of engines) {
  describe(`numbers that are lost on ${name}`, () => {
    for (const text of losing) {
      it.effect(
        `${text}: the step and the array are those of a run step by step, what is kept is finite`,
        () =>
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
          }).pipe(Effect.provide(layer)),
        30_000
      )

      it.effect(
        `${text}: a careful plan goes back, says where they were lost, and ends finite`,
        () =>
          Effect.gen(function* () {
            const plan = yield* PlanSpec.parse(text)
            const [phase] = plan.phases
            const careful = { patience: Number.POSITIVE_INFINITY, divisor: 1000, attempts: 5 }
            const expected = yield* stepByStep(text)
            const events = yield* Stream.runCollect(
              Training.stream(circuit, yield* data, {
                plan: new Plan.Plan({ ...plan, phases: [{ ...phase!, careful }] }),
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
          }).pipe(Effect.provide(layer)),
        30_000
      )
    }
  })
}

describe("a search for the place that does not come to its end", () => {
  const fails = "backpropagate:20:sgd=10:batch=6:interval=4"
  const careful = "backpropagate:40:sgd=2:batch=6:interval=1:patience=2"
  const perEpoch = Math.floor(examples / 6)

  /** A run whose data are read again for each epoch; in its `read`-th reading they are what `later` gives. */
  const reading = Effect.fnUntraced(function* (
    text: string,
    read: number,
    later: Stream.Stream<Dataset.Dataset, DataInvalid>
  ) {
    const [plan, own] = [yield* PlanSpec.parse(text), yield* data]
    const kept: Array<PhaseRun.Snapshot> = []
    const told: Array<TrainingEvent.Underway> = []
    let reads = 0
    const run = Training.fit(circuit, own, {
      plan,
      seed,
      parts: { sizes: [examples], read: Stream.suspend(() => (++reads === read ? later : Stream.make(own))) },
      onSnapshot: (snapshot) => Effect.sync(() => void kept.push(snapshot)),
      onEvent: (event) => Effect.sync(() => void told.push(event))
    })
    return { run, kept, told, plan, own }
  })

  /** The error of the run to its end, and the first reading of the search, after one for each epoch. */
  const whole = Effect.gen(function* () {
    const { run, told } = yield* reading(fails, 0, Stream.empty)
    const error = yield* Effect.flip(run)
    const { step } = told.at(-1)!.progress
    return { error, search: step / perEpoch + 1 }
  })

  for (const [how, later] of [
    ["is interrupted", Stream.never],
    ["fails", Stream.fail(new DataInvalid({ source: "mine", expected: "a", came: "b came", advice: "mend it" }))]
  ] as const) {
    it.live(`${how}: what is kept is the held state, from which the numbers are lost again`, () =>
      Effect.gen(function* () {
        const { error, search } = yield* whole
        const { kept, own, plan, run } = yield* reading(fails, search, later)
        const ended = yield* Effect.timeoutOption(Effect.flip(run), "2 seconds")
        assert.strictEqual(
          Option.getOrUndefined(ended)?.message,
          how === "fails" ? "mine: expected a, but b came; mend it" : undefined
        )
        const from = kept.at(-1)!
        assert.isBelow(from.progress.step, (search - 1) * perEpoch)
        assert.strictEqual(from.progress.step, from.progress.held)
        const again = yield* Effect.flip(Training.fit(circuit, own, { plan, seed, from }))
        assert.deepStrictEqual({ ...again }, { ...error })
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }

  it.live(
    "is interrupted in a careful phase, some measurements after the held one: it goes on as if it never was",
    () =>
      Effect.gen(function* () {
        const { run, told } = yield* reading(careful, 0, Stream.empty)
        const { parameters } = yield* run
        const rewound = told.findIndex((event) => event._tag === "Rewound" && event.lost !== undefined)
        const { step } = told[rewound - 1]!.progress
        const before = told.slice(0, rewound - 1).findLast((event) => event._tag === "Step" && event.measurement)
        const { held, since } = before!.progress
        assert.isAbove(since, 0)
        const interrupted = yield* reading(careful, step / perEpoch + 1, Stream.never)
        assert.isTrue(Option.isNone(yield* Effect.timeoutOption(interrupted.run, "2 seconds")))
        const from = interrupted.kept.at(-1)!
        assert.strictEqual(from.progress.step, held)
        const again = yield* Training.fit(circuit, interrupted.own, { plan: interrupted.plan, seed, from })
        assert.deepStrictEqual(again.parameters, parameters)
      }).pipe(Effect.provide(ReferenceEngine.layer))
  )
})
