import { assert, describe, it } from "@effect/vitest"
import {
  Adam,
  Blobs,
  Circuit,
  Cut,
  Dataset,
  Engine,
  Loss,
  Moons,
  NdArray,
  Phase,
  type PhaseRun,
  Plan,
  ReferenceEngine,
  Rprop,
  Score,
  Seed,
  Sgd,
  TfjsEngine,
  Training,
  type TrainingEvent
} from "@rai/core"
import { Effect, Exit, Fiber, Layer, Stream } from "effect"
import { WidthsMismatch } from "../../src/training/TrainingFailed.ts"

const circuit = Circuit.perceptron([2, 8, 8, 8, 8, 1], { activation: "sigmoid" })
const data = Moons.make({ examples: 40, seed: 1 })
const plan = Plan.make(
  Phase.relax({ steps: 20, optimizer: Rprop.make(0.01), interval: 5, refresh: 7 }),
  Phase.backpropagate({ steps: 20, interval: 5, careful: { patience: 5, divisor: 3, attempts: 4 } })
)

const run = (options: Training.Options) =>
  Effect.flatMap(data, (moons) => Stream.runCollect(Training.stream(circuit, moons, options)))

const onlySteps = (events: ReadonlyArray<TrainingEvent.TrainingEvent>) =>
  events.filter((event) => event._tag === "Step" && event.progress.step > 0)

/** Returns the snapshot that a run leaves when it is interrupted at an event. */
const stoppedAt = Effect.fnUntraced(function* (
  options: Training.Options,
  at: (event: TrainingEvent.TrainingEvent) => boolean
) {
  const kept: Array<PhaseRun.Snapshot> = []
  const onSnapshot = (snapshot: PhaseRun.Snapshot) => Effect.sync(() => void kept.push(snapshot))
  const events = Training.stream(circuit, yield* data, { ...options, onSnapshot })
  yield* Effect.exit(Stream.runForEach(events, (event) => (at(event) ? Effect.interrupt : Effect.void)))
  return kept.at(-1)!
})

describe("training", () => {
  it.effect("is a stream of one event a step, measured at the phase's interval, and one at the end", () =>
    Effect.gen(function* () {
      const events = yield* run({ plan: Plan.relax({ steps: 12, interval: 5 }), seed: 3 })
      const steps = onlySteps(events) as ReadonlyArray<TrainingEvent.Step>
      assert.deepStrictEqual(
        steps.map(({ progress }) => progress.step),
        Array.from({ length: 12 }, (_, i) => i + 1)
      )
      const measured = steps.filter(({ measurement }) => measurement !== undefined)
      assert.deepStrictEqual(
        measured.map(({ progress }) => progress.step),
        [5, 10, 12]
      )
      const { measurement } = measured[0]!
      assert.strictEqual(measurement!.residuals.length, 4)
      assert.strictEqual(measurement!.gradientNorms.length, 5)
      assert.approximately(measurement!.relaxationGap!, measurement!.freeRunLoss - measurement!.relaxedLoss!, 1e-12)
      assert.strictEqual(events.at(-1)?._tag, "Finished")
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  const engines: ReadonlyArray<readonly [string, Layer.Layer<Engine.Engine, { readonly message: string }>]> = [
    ["reference", ReferenceEngine.layer],
    ["tfjs-native", TfjsEngine.layerNative]
  ]
  for (const [name, layer] of engines) {
    it.effect(
      `resumes to the bit from a snapshot at any step on ${name}`,
      () =>
        Effect.gen(function* () {
          const whole = (yield* run({ plan, seed: 5 })).at(-1) as TrainingEvent.Finished
          for (const at of [1, 7, 19, 20, 21, 33]) {
            const kept = yield* stoppedAt(
              { plan, seed: 5 },
              (event) => event._tag === "Step" && event.progress.total >= at && event.progress.step > 0
            )
            const resumed = (yield* run({ plan, seed: 5, from: kept })).at(-1) as TrainingEvent.Finished
            assert.deepStrictEqual(resumed.trained.parameters, whole.trained.parameters)
            assert.strictEqual(resumed.progress.total, whole.progress.total)
          }
        }).pipe(Effect.provide(layer)),
      30_000
    )
  }

  it.effect("a snapshot of a phase that the plan lacks is refused", () =>
    Effect.gen(function* () {
      const kept = yield* stoppedAt({ plan, seed: 5 }, ({ progress }) => progress.phase === 1)
      const shorter = Plan.relax({ steps: 20 })
      const error = yield* Effect.flip(run({ plan: shorter, seed: 5, from: kept }))
      assert.strictEqual(
        error.message,
        "expected a snapshot of a phase of the plan, which has 1, but one of phase 2 came; go on with the plan that the run began with"
      )
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("a snapshot of another circuit, or beyond the end of a phase, is refused", () =>
    Effect.gen(function* () {
      const longer = Plan.relax({ steps: 20, interval: 5 })
      const kept = yield* stoppedAt({ plan: longer, seed: 5 }, ({ progress }) => progress.step >= 10)
      const error = yield* Effect.flip(run({ plan: Plan.relax({ steps: 3 }), seed: 5, from: kept }))
      assert.match(
        error.message,
        /^expected a snapshot of a step of relax:3.*, a whole number from 0 to 3, but one of step \d+ came; go on with/
      )
      const wider = Circuit.perceptron([2, 5, 5, 5, 1], { activation: "tanh" })
      const data = yield* Moons.make({ examples: 20, seed: 1 })
      const other = yield* Effect.flip(Training.run(wider, data, { plan: longer, seed: 5, from: kept }))
      assert.match(
        other.message,
        /^expected a snapshot of this circuit, whose «0.weight» is \[2,5\], but \[2,\d+\] came; go on/
      )
      const adam = Plan.relax({ steps: 20, optimizer: Adam.make(0.01) })
      assert.match(
        (yield* Effect.flip(run({ plan: adam, seed: 5, from: kept }))).message,
        /^expected a snapshot of relax:20:adam=0.01, whose «m\/.*» is \[\d+\], but one without it came; go on with the plan/
      )
      const sparser = Plan.relax({ steps: 20, cut: { ...Cut.paper, every: 2 } })
      assert.match(
        (yield* Effect.flip(run({ plan: sparser, seed: 5, from: kept }))).message,
        /^expected a snapshot of relax:20:rprop=0.1:every=2, whose «/
      )
      for (const step of [Number.NaN, -1, 2.5]) {
        const from = { ...kept, progress: { ...kept.progress, step } }
        assert.include(
          (yield* Effect.flip(run({ plan: longer, seed: 5, from }))).message,
          `expected a snapshot of a step of relax:20:rprop=0.1:interval=5, a whole number from 0 to 20, but one of step ${step} came`
        )
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("a snapshot beyond the last epoch is refused, also of data in parts", () =>
    Effect.gen(function* () {
      const [moons, plan] = [yield* data, Plan.backpropagate({ epochs: 4, batch: 8 })]
      const inParts = (first: number) => {
        const all = Array.from({ length: 40 }, (_, i) => i)
        const read = Stream.make(all.slice(0, first), all.slice(first))
        return { sizes: [first, 40 - first], read: Stream.map(read, (rows) => Dataset.select(moons, rows)) }
      }
      for (const [parts, last] of [
        [undefined, 20],
        [inParts(17), 16],
        [inParts(37), 16]
      ] as const) {
        const kept = yield* stoppedAt({ plan, seed: 5, parts }, ({ progress }) => progress.step >= 1)
        const at = (step: number) => ({ ...kept, progress: { ...kept.progress, step } })
        assert.include(
          (yield* Effect.flip(run({ plan, seed: 5, parts, from: at(last + 1) }))).message,
          `a whole number from 0 to ${last}, but one of step ${last + 1} came`
        )
        yield* run({ plan, seed: 5, parts, from: at(last) })
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("resumes to the bit where the run was stopped at the step that solves it", () =>
    Effect.gen(function* () {
      for (const [loss, phase] of [
        [0.69311, 0],
        [0.6925, 1]
      ] as const) {
        const solving = plan.pipe(Plan.stoppingAt({ loss }))
        const whole = (yield* run({ plan: solving, seed: 5 })).at(-1) as TrainingEvent.Finished
        assert.isTrue(whole.solved)
        assert.strictEqual(whole.progress.phase, phase)
        const { total } = whole.progress
        const kept = yield* stoppedAt({ plan: solving, seed: 5 }, ({ progress }) => progress.total === total)
        assert.strictEqual(kept.progress.total, total)
        const resumed = (yield* run({ plan: solving, seed: 5, from: kept })).at(-1) as TrainingEvent.Finished
        assert.deepStrictEqual(resumed.trained.parameters, whole.trained.parameters)
        assert.deepStrictEqual(resumed.measurement, whole.measurement)
        assert.strictEqual(resumed.progress.total, total)
        assert.isTrue(resumed.solved)
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.live("ends at once when it is interrupted while a slow listener holds it up, with a snapshot", () =>
    Effect.gen(function* () {
      const kept: Array<PhaseRun.Snapshot> = []
      const onSnapshot = (snapshot: PhaseRun.Snapshot) => Effect.sync(() => void kept.push(snapshot))
      const endless = Training.stream(circuit, yield* data, { plan: Plan.relax({ steps: 1e6 }), onSnapshot })
      const fiber = yield* Effect.forkDetach(Stream.runForEach(endless, () => Effect.sleep("1 hour")))
      yield* Effect.sleep("500 millis")
      const interrupting = yield* Effect.forkDetach(Fiber.interrupt(fiber))
      const ended = yield* Fiber.join(interrupting).pipe(Effect.timeout("5 seconds"), Effect.exit)
      assert.isTrue(Exit.isSuccess(ended))
      assert.isAbove(kept.at(-1)!.progress.step, 0)
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  /** The reference engine slowed down like a remote one, so that an interruption arrives in the middle of several steps. */
  const slowly = Layer.effect(
    Engine.Engine,
    Effect.map(Engine.Engine, (engine) =>
      Engine.Engine.of({
        ...engine,
        session: (state) =>
          Effect.map(engine.session(state), (session) => ({
            ...session,
            advance: (program, ...turns) => Effect.andThen(Effect.sleep("2 millis"), session.advance(program, ...turns))
          }))
      })
    )
  ).pipe(Layer.provide(ReferenceEngine.layer))

  it.live("tells every step that the snapshot of an interruption holds", () =>
    Effect.gen(function* () {
      for (const after of [30, 61, 93, 124]) {
        const kept: Array<PhaseRun.Snapshot> = []
        const told: Array<number> = []
        const running = Training.fit(circuit, yield* data, {
          plan: Plan.relax({ steps: 1e6, interval: 1000 }),
          onEvent: ({ progress }) => Effect.sync(() => void told.push(progress.step)),
          onSnapshot: (snapshot) => Effect.sync(() => void kept.push(snapshot))
        })
        const fiber = yield* Effect.forkDetach(running)
        while (told.length < 2) yield* Effect.sleep("5 millis")
        yield* Effect.sleep(`${after} millis`)
        yield* Fiber.interrupt(fiber)
        const { step } = kept.at(-1)!.progress
        assert.isAbove(step, 0)
        assert.deepStrictEqual(
          told,
          Array.from({ length: step + 1 }, (_, i) => i)
        )
      }
    }).pipe(Effect.provide(slowly))
  )

  it.effect("a careful relaxing phase that diverges goes back with its auxiliaries too", () =>
    Effect.gen(function* () {
      const phase = Phase.relax({
        steps: 12,
        interval: 1,
        optimizer: Sgd.make(1e30),
        careful: { patience: 20, divisor: 1e32, attempts: 3 }
      })
      const events = yield* run({ plan: Plan.make(phase), seed: 3 })
      const finished = events.at(-1) as TrainingEvent.Finished
      assert.strictEqual(events.filter(({ _tag }) => _tag === "Rewound").length, 1)
      assert.strictEqual(finished.progress.step, 12)
      assert.isTrue(finished.measurement.residuals.every(Number.isFinite))
      const first = (events[0] as TrainingEvent.Step).measurement!.freeRunLoss
      assert.isBelow(finished.measurement.freeRunLoss, first)
    }).pipe(Effect.provide(TfjsEngine.layerNative))
  )

  it.effect("a seed decides the run: given, or by the service", () =>
    Effect.gen(function* () {
      const moons = yield* data
      const short = Plan.relax({ steps: 3 })
      const one = yield* Training.fit(circuit, moons, { plan: short, seed: 9 })
      const same = yield* Training.fit(circuit, moons, { plan: short }).pipe(Effect.provideService(Seed, 9))
      const other = yield* Training.fit(circuit, moons, { plan: short, seed: 10 })
      assert.deepStrictEqual(one.parameters, same.parameters)
      assert.notDeepEqual(one.parameters, other.parameters)
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("the automatic plan learns the moons, in tanh coordinates and back", () =>
    Effect.gen(function* () {
      const moons = yield* Moons.paper
      const deep = Circuit.perceptron([2, ...Array<number>(20).fill(30), 1], { activation: "sigmoid" })
      const trained = yield* Training.fit(deep, moons, { seed: 0 })
      const fresh = yield* Moons.make({ examples: 500, noise: 0.1, seed: 7 })
      assert.isAtLeast((yield* Score.score(trained, fresh)).accuracy!, 0.97)
    }).pipe(Effect.provide(TfjsEngine.layerNative))
  )

  it.effect("numbers that are lost end the run with what to do", () =>
    Effect.gen(function* () {
      const moons = yield* data
      const hot = Plan.make(Phase.backpropagate({ steps: 50, interval: 1, optimizer: Sgd.make(1e20) }))
      const relu = Circuit.perceptron([2, 8, 8, 1], { activation: "relu" })
      const error = yield* Effect.flip(Training.fit(relu, moons, { plan: hot, seed: 0 }))
      assert.match(
        error.message,
        /^expected finite numbers, but NaN or infinity came at step \d+ of backpropagate, first in .+; begin again with a lower rate/
      )
    }).pipe(Effect.provide(TfjsEngine.layerNative))
  )

  it.effect("numbers that are lost before the first step are no matter of the rate", () =>
    Effect.gen(function* () {
      const moons = yield* data
      const { inputNames, inputs, targets } = moons
      const huge = NdArray.full(targets.shape, 1e30)
      const steep = yield* Dataset.make({ inputs, inputNames, targets: huge, task: "regression" })
      const plan = Plan.relax({ steps: 5, loss: Loss.meanSquaredError })
      const error = yield* Effect.flip(Training.fit(circuit, steep, { plan, seed: 0 }))
      assert.strictEqual(
        error.message,
        "expected finite numbers, but NaN or infinity came at step 0 of relax, first in the loss; scale the data down, or begin from another start"
      )
    }).pipe(Effect.provide(TfjsEngine.layerNative))
  )

  it.effect("a seed that is none is refused before anything begins", () =>
    Effect.gen(function* () {
      for (const seed of [1.5, -1, Number.NaN, 2 ** 32]) {
        const error = yield* Effect.flip(Training.fit(circuit, yield* data, { plan, seed }))
        assert.strictEqual(
          error.message,
          `expected a seed that is a whole number from 0 to 4294967295, but ${seed} came; give another`
        )
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect(
    "data whose classes stand in another order, or with other targets, are neither validated nor scored on",
    () =>
      Effect.gen(function* () {
        const moons = { ...(yield* data), classNames: ["no", "yes"] }
        const swapped = { ...moons, classNames: ["yes", "no"] }
        const short = { plan: Plan.relax({ steps: 2 }), seed: 1 }
        const unfit = yield* Effect.flip(Training.fit(circuit, moons, { ...short, validation: swapped }))
        assert.strictEqual(
          unfit.message,
          "expected validation data as the training data, the classes «no», «yes», but «yes», «no» came; read them with the columns and classes of the training data"
        )
        const trained = yield* Training.fit(circuit, moons, short)
        const message = (of: Dataset.Dataset) =>
          Effect.map(Effect.flip(Score.score(trained, of)), (error) => error.message)
        assert.strictEqual(
          yield* message(swapped),
          "the data: expected the classes «no», «yes», but «yes», «no» came; read the data with the columns and classes of the training data"
        )
        const three = yield* Blobs.make({ examples: 9, centers: 3 })
        assert.strictEqual(
          yield* message(three),
          "the targets: expected [9,1], but [9,3] came; give data with as many outputs as the circuit has"
        )
        assert.include((yield* Effect.flip(Score.metrics(trained, three))).message, "the targets: expected [9,1]")
        const { classNames: _, ...values } = moons
        assert.strictEqual(
          yield* message(yield* Dataset.make({ ...values, task: "regression" })),
          "the task: expected binary, but regression came; read the data with the task of the training data"
        )
      }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("widths that do not fit the data are named", () =>
    Effect.gen(function* () {
      const moons = yield* data
      const error = yield* Effect.flip(Training.fit(Circuit.perceptron([3, 4, 2]), moons))
      assert.strictEqual(
        error.message,
        "expected a circuit 2,…,1 for data with 2 inputs and 1 outputs, but 3,…,2 came; change the first and last width"
      )
      const mismatch = { inputs: 2, outputs: 2, features: 2, targets: 1 }
      const advice = (of: object) => new WidthsMismatch({ ...mismatch, ...of }).message.split("; ")[1]
      assert.strictEqual(advice({}), "change the first and last width, or choose the task classes")
      assert.strictEqual(advice({ isImported: true }), "choose the task classes")
      assert.strictEqual(
        advice({ isImported: true, inputs: 5 }),
        "give data with as many inputs and outputs as it has, and choose the task classes"
      )
      assert.strictEqual(
        advice({ isImported: true, outputs: 3 }),
        "give data with as many inputs and outputs as it has"
      )
      assert.strictEqual(
        advice({ outputs: 1, targets: 3 }),
        "change the first and last width, or choose the task regression if the labels are numbers"
      )
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("a run that is interrupted gives its memory back", () =>
    Effect.gen(function* () {
      const moons = yield* data
      const fiber = yield* Effect.forkChild(Training.fit(circuit, moons, { plan: Plan.relax({ steps: 1e6 }), seed: 0 }))
      for (let turn = 0; turn < 50; turn++) yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      const { memory } = yield* Effect.promise(() => import("@tensorflow/tfjs-core"))
      assert.strictEqual(memory().numTensors, 0)
    }).pipe(Effect.provide(TfjsEngine.layerNative))
  )
})
