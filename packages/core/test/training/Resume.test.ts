import { assert, describe, it } from "@effect/vitest"
import {
  Circuit,
  Engine,
  History,
  Moons,
  type PhaseRun,
  PlanSpec,
  ReferenceEngine,
  Safetensors,
  TfjsEngine,
  Training
} from "@rai/core"
import { Progress } from "@rai/core/schema"
import { Clock, Deferred, Effect, Fiber, Layer, Schema, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"

const circuit = Circuit.perceptron([2, 6, 6, 6, 6, 1], { activation: "tanh" })
const data = Moons.make({ examples: 22, seed: 1 })

/** Every way of training, with every setting that has state of its own or draws numbers. Batches leave some examples over. */
const plans: ReadonlyArray<string> = [
  "relax:9:rprop=0.01:interval=2:noise=0.1",
  "relax:9:adam=0.01:interval=4:refresh=4:multipliers=0.1",
  "relax:9:sgd=0.05:curve=cosine:interval=3:ramp=linear:z-adam=0.02:penalty=0.01",
  "relax:9:rmsprop=0.01+momentum=0.5:clip=1:lambda=0.5:hidden=huber:energy=sum",
  "relax:9:adamw=0.01:every=2:hidden=cosine:output",
  "relax:9:muon=0.02:curve=warmup0.5*cosine:l1=0.001:l2=0.01",
  "relax:9:rprop=0.01:after=activation:sweep",
  "relax:9:adam=0.01:only=output:sweep",
  "relax:12:sgd=20:interval=1:patience=2:refresh=5",
  "backpropagate:9:adam=0.01+decay=0.1:clip=0.1:interval=2",
  "backpropagate:12:sgd=50+nesterov=1:interval=1:patience=2",
  "backpropagate:4:sgd=0.1+nesterov=1:batch=5:curve=exponential0.1",
  "backpropagate:6:adam=1:batch=9:clip=1:interval=1:patience=1",
  "alternate:4:muon=0.05+momentum=0.9+nesterov=0:batch=9",
  "alternate:4:muon=0.05:batch=5:curve=constant:every=2:uncentred",
  "alternate:6:muon=1:batch=9:clip=1:patience=1",
  "relax:4:adam=0.01:batch=9",
  "relax:5:rprop=0.01:batch=9:refresh=2:noise=0.1:multipliers=0.1",
  "relax:4:sgd=0.05:batch=5:z-rmsprop=0.01+momentum=0.5:after=activation",
  "relax:5:adam=1:batch=9:interval=1:patience=1:sweep",
  "relax:3:rprop=0.01:noise=0.1,relax:2:adam=0.01:batch=5:noise=0.1,alternate:2:batch=9,backpropagate:2:batch=9,backpropagate:4"
]

/** A clock that advances by three seconds each time it is read, so that every step, and every phase's start, is followed by a snapshot. */
const hurried: Clock.Clock = (() => {
  let now = 0
  const look = () => (now += 3000)
  return {
    currentTimeMillisUnsafe: look,
    currentTimeMillis: Effect.sync(look),
    currentTimeNanosUnsafe: () => BigInt(look()) * 1_000_000n,
    currentTimeNanos: Effect.sync(() => BigInt(look()) * 1_000_000n),
    monotonicTimeNanosUnsafe: () => BigInt(look()) * 1_000_000n,
    monotonicTimeNanos: Effect.sync(() => BigInt(look()) * 1_000_000n),
    sleep: () => Effect.void
  } as Clock.Clock
})()

const asWritten = Effect.fnUntraced(function* ({ progress, state }: PhaseRun.Snapshot) {
  const json = JSON.stringify(yield* Schema.encodeEffect(Progress)(progress))
  const snapshot: PhaseRun.Snapshot = {
    progress: yield* Schema.decodeUnknownEffect(Progress)(JSON.parse(json)),
    state: yield* Safetensors.decode(Safetensors.encode(state))
  }
  return snapshot
})

const run = Effect.fnUntraced(
  function* (text: string, from?: PhaseRun.Snapshot, seed = 5) {
    const kept: Array<PhaseRun.Snapshot> = []
    const onSnapshot = (snapshot: PhaseRun.Snapshot) => Effect.sync(() => void kept.push(snapshot))
    const plan = yield* PlanSpec.parse(text)
    const events = yield* Stream.runCollect(Training.stream(circuit, yield* data, { plan, seed, from, onSnapshot }))
    const finished = events.at(-1)!
    if (finished._tag !== "Finished") return assert.fail("the last event is the end")
    const { measurement, progress, trained } = finished
    const rewinds = events.filter(({ _tag }) => _tag === "Rewound").length
    return {
      kept,
      rewinds,
      rows: History.of(events).map((row) => ({ ...row, seconds: 0 })),
      end: {
        measurement,
        progress: JSON.stringify({ ...progress, seconds: 0 }, Object.keys(progress).sort()),
        parameters: trained.parameters
      }
    }
  },
  Effect.provideService(Clock.Clock, hurried)
)

const engines: ReadonlyArray<
  readonly [name: string, layer: Layer.Layer<Engine.Engine, { readonly message: string }>, every: number]
> = [
  ["float64", ReferenceEngine.layer, 1],
  ["libtensorflow", TfjsEngine.layerNative, 3]
]

for (const [name, layer, every] of engines) {
  describe(`equal to the bit on ${name}, run twice and resumed from what any step left`, () => {
    for (const text of plans.filter((_, i) => (i + 1) % every === 0)) {
      it.effect(
        text,
        () =>
          Effect.gen(function* () {
            const { end, kept, rewinds, rows } = yield* run(text)
            assert.deepStrictEqual((yield* run(text)).end, end)
            const starts = text.split(",").length
            assert.strictEqual(kept.length, starts + JSON.parse(end.progress).total)
            if (text.includes("patience")) assert.isAbove(rewinds, 0, "it goes back at least once")
            const some = kept.filter((_, i) => i % 3 === 0 || i === kept.length - 1)
            for (const snapshot of some) {
              const resumed = yield* run(text, yield* asWritten(snapshot))
              assert.deepStrictEqual(
                resumed.end,
                end,
                `from step ${snapshot.progress.step} of ${snapshot.progress.phase}`
              )
              assert.deepStrictEqual([...History.until(rows, snapshot.progress), ...resumed.rows], rows)
            }
          }).pipe(Effect.provide(layer)),
        30_000
      )
    }
  })
}

it.effect("a plan of phases that are shorter than the time between snapshots leaves some too", () =>
  Effect.gen(function* () {
    const [plan, moons] = [yield* PlanSpec.parse(Array(6).fill("relax:2:interval=1").join()), yield* data]
    const kept: Array<PhaseRun.Snapshot> = []
    const whole = yield* Training.fit(circuit, moons, {
      plan,
      seed: 5,
      onEvent: () => TestClock.adjust("450 millis"), // a phase has three: its start and two steps
      onSnapshot: (snapshot) => Effect.sync(() => void kept.push(snapshot))
    })
    assert.deepStrictEqual(
      kept.map(({ progress: { phase, step } }) => [phase, step]),
      [
        [1, 1],
        [3, 0],
        [4, 2]
      ]
    )
    for (const snapshot of kept) {
      const resumed = yield* Training.fit(circuit, moons, { plan, seed: 5, from: yield* asWritten(snapshot) })
      assert.deepStrictEqual(resumed.parameters, whole.parameters)
    }
  }).pipe(Effect.provide(ReferenceEngine.layer))
)

describe("equal to the bit where a run was interrupted", () => {
  for (const text of [
    "relax:30:rprop=0.01:batch=9:refresh=2:noise=0.1",
    "alternate:30:batch=9:patience=3",
    "relax:10:rprop=0.01:noise=0.1,backpropagate:25:adam=0.01:batch=9"
  ]) {
    it.effect(text, () =>
      Effect.gen(function* () {
        const [plan, seed] = [yield* PlanSpec.parse(text), 5]
        const moons = yield* data
        const whole = yield* Training.fit(circuit, moons, { plan, seed })
        for (const at of [1, 12, 23]) {
          const kept: Array<PhaseRun.Snapshot> = []
          const onSnapshot = (snapshot: PhaseRun.Snapshot) => Effect.sync(() => void kept.push(snapshot))
          const events = Training.stream(circuit, moons, { plan, seed, onSnapshot })
          yield* Effect.exit(
            Stream.runForEach(events, ({ progress }) => (progress.total >= at ? Effect.interrupt : Effect.void))
          )
          assert.strictEqual(kept.length, 1, "one snapshot, of the interruption")
          assert.isBelow(kept[0]!.progress.total, 60)
          const resumed = yield* Training.fit(circuit, moons, { plan, seed, from: yield* asWritten(kept[0]!) })
          assert.deepStrictEqual(resumed.parameters, whole.parameters)
        }
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }
})

describe("equal to the bit where a run was interrupted at the end of a phase, which an engine draws out:", () => {
  type Session = Effect.Success<ReturnType<Engine.Engine["Service"]["session"]>>
  /** At which of a phase's sessions, by their number, the engine says that it is there, and goes on only later. */
  type Place = (
    number: number,
    session: Session,
    here: Effect.Effect<void>
  ) => Effect.Effect<Session, never, Scope.Scope>
  const places: Readonly<Record<string, Place>> = {
    "as its parameters are read": (number, session, here) =>
      Effect.succeed({
        ...session,
        read: (names) => Effect.andThen(number === 1 && names !== undefined ? here : Effect.void, session.read(names))
      }),
    "as the last one's are": (number, session, here) =>
      Effect.succeed({
        ...session,
        read: (names) => Effect.andThen(number === 2 && names !== undefined ? here : Effect.void, session.read(names))
      }),
    "as its session is released": (number, session, here) =>
      Effect.as(
        Effect.addFinalizer(() => (number === 1 ? here : Effect.void)),
        session
      ),
    "as the next one's is opened": (number, session, here) => Effect.as(number === 2 ? here : Effect.void, session)
  }
  for (const [name, place] of Object.entries(places)) {
    it.live(name, () =>
      Effect.gen(function* () {
        const plan = yield* PlanSpec.parse(
          "relax:6:rprop=0.01:noise=0.1,backpropagate:6:adam=0.01:interval=1:patience=3"
        )
        const [moons, there] = [yield* data, yield* Deferred.make<void>()]
        const here = Effect.andThen(Deferred.succeed(there, undefined), Effect.sleep("100 millis"))
        const drawnOut = Layer.effect(
          Engine.Engine,
          Effect.map(Engine.Engine, (engine) => {
            let number = 0
            return Engine.Engine.of({
              ...engine,
              session: (state) => Effect.flatMap(engine.session(state), (session) => place(++number, session, here))
            })
          })
        )
        const kept: Array<PhaseRun.Snapshot> = []
        const onSnapshot = (snapshot: PhaseRun.Snapshot) => Effect.sync(() => void kept.push(snapshot))
        const fitting = Training.fit(circuit, moons, { plan, seed: 5, onSnapshot })
        const fiber = yield* Effect.forkChild(Effect.provide(fitting, drawnOut))
        yield* Deferred.await(there)
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(kept.length, 1, "one snapshot, of the interruption")
        assert.isAtLeast(kept[0]!.progress.total, 6)
        const whole = yield* Training.run(circuit, moons, { plan, seed: 5 })
        const resumed = yield* Training.run(circuit, moons, { plan, seed: 5, from: yield* asWritten(kept[0]!) })
        assert.deepStrictEqual(resumed.trained.parameters, whole.trained.parameters)
        assert.deepStrictEqual(resumed.measurement, whole.measurement)
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }
})

describe("another seed gives another run", () => {
  for (const text of ["relax:5:rprop=0.01:noise=0.1", "alternate:3:batch=9", "relax:3:adam=0.01:batch=9"]) {
    it.effect(text, () =>
      Effect.gen(function* () {
        const [one, other] = [yield* run(text, undefined, 5), yield* run(text, undefined, 6)]
        assert.notDeepEqual(one.end.parameters, other.end.parameters)
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }
})

it.effect("a snapshot of a run begun earlier, which had one count for the auxiliaries of all examples, goes on", () =>
  Effect.gen(function* () {
    const text = "relax:4:adam=0.01:batch=9:patience=9"
    const { end, kept } = yield* run(text)
    const { progress, state } = kept[0]!
    const earlier = Object.fromEntries(
      Object.entries(state).map(([name, array]) => [
        name,
        /^(good\/)?t\/z\//.test(name) ? { shape: [], data: Float64Array.of(1) } : array
      ])
    )
    assert.isTrue(Object.keys(earlier).some((name) => earlier[name] !== state[name]))
    const resumed = yield* run(text, yield* asWritten({ progress, state: earlier }))
    assert.strictEqual(JSON.parse(resumed.end.progress).total, JSON.parse(end.progress).total)
    const { shape } = resumed.kept.at(-1)!.state["t/z/0"]!
    assert.deepStrictEqual(shape, [22, 1])
  }).pipe(Effect.provide(ReferenceEngine.layer))
)
