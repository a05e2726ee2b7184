import { assert, describe, it } from "@effect/vitest"
import { Circuit, Engine, Moons, NdArray, PlanSpec, Program, ReferenceEngine, Training } from "@rai/core"
import { OnnxEngine } from "@rai/onnx-engine"
import { Effect, Exit, Fiber, References, Stream } from "effect"

const circuit = Circuit.perceptron([2, ...Array<number>(9).fill(8), 1], { activation: "tanh" })
// Continuous rules only: where a gradient is 0, a sign-based rule would take rounding for a direction.
const plan = PlanSpec.parse(
  "relax:40:sgd=0.3+momentum=0.5:every=2:refresh=20,alternate:6:batch=10,backpropagate:20:adam=0.003"
)

const followed = Effect.gen(function* () {
  const data = yield* Moons.make({ examples: 40, noise: 0.1, seed: 3 })
  const events = yield* Stream.runCollect(Training.stream(circuit, data, { plan: yield* plan, seed: 5 }))
  const losses = events.flatMap((event) =>
    event._tag === "Step" && event.measurement !== undefined ? [event.measurement.freeRunLoss] : []
  )
  return { losses, trained: events.find((event) => event._tag === "Finished")!.trained }
})

describe("OnnxEngine", () => {
  // Where there is a GPU with its provider this is another test: the same numbers.
  it.effect("computes on CUDA, or says in one line why not", () =>
    Effect.gen(function* () {
      const program = yield* Program.make({ a: [2] }, ({ a }) => ({ b: a.add(a) }))
      const came = yield* Engine.run(program, { a: NdArray.make([2], [1, 2]) }).pipe(
        Effect.provide(OnnxEngine.layerCuda),
        Effect.map(({ b }) => [...b!.data]),
        Effect.catchTag("DeviceMissing", ({ message }) => Effect.succeed(message))
      )
      if (typeof came !== "string") return assert.deepStrictEqual(came, [2, 4])
      assert.match(came, /^expected a device cuda to compute on, but .*without --device the processor computes$/)
      assert.notMatch(came, /\n|\/node_modules\//)
    })
  )

  it.effect("follows a plan of every kind of phase as the reference does", () =>
    Effect.gen(function* () {
      const came = yield* followed.pipe(Effect.provide(OnnxEngine.layer))
      const expected = yield* followed.pipe(Effect.provide(ReferenceEngine.layer))
      assert.isBelow(expected.losses.at(-1)!, expected.losses[0]!)
      assert.strictEqual(came.losses.length, expected.losses.length)
      came.losses.forEach((loss, i) => {
        assert.approximately(loss / expected.losses[i]!, 1, 1e-4, `measurement ${i}`)
      })
    })
  )

  it.effect("ends bit for bit alike each time", () =>
    Effect.gen(function* () {
      const [first, second] = [yield* followed, yield* followed]
      assert.deepStrictEqual(first.trained.parameters, second.trained.parameters)
    }).pipe(Effect.provide(OnnxEngine.layer))
  )

  const doubling = Effect.runSync(Program.make({ a: [2], b: [2] }, ({ a, b }) => ({ a: a.add(b), b: b.mul(2) })))

  it.effect("what is read stays as it was read, whatever follows", () =>
    Effect.gen(function* () {
      const engine = yield* Engine.Engine
      const given = { a: NdArray.make([2], [1, 2]), b: NdArray.make([2], [3, 4]) }
      const session = yield* engine.session(given)
      const before = yield* session.read()
      for (let i = 0; i < 3; i++) yield* session.advance(doubling)
      assert.deepStrictEqual([...before.a!.data, ...before.b!.data], [1, 2, 3, 4])
      assert.deepStrictEqual([...given.a.data, ...given.b.data], [1, 2, 3, 4])
      const { a, b } = yield* session.read()
      assert.deepStrictEqual([...a!.data, ...b!.data], [22, 30, 24, 32])
    }).pipe(Effect.scoped, Effect.provide(OnnxEngine.layer))
  )

  it.effect("a step that is interrupted, wherever that is, is taken whole or not at all", () =>
    Effect.gen(function* () {
      const engine = yield* Engine.Engine
      const session = yield* engine.session({ a: NdArray.make([2], [0, 0]), b: NdArray.make([2], [1, 1]) })
      const step = yield* Program.make({ a: [2], b: [2] }, ({ a, b }) => ({ a: a.add(1), b: b.add(1) }))
      for (let pauses = 0; pauses < 30; pauses++) {
        const fiber = yield* Effect.forkChild(session.advance(step)).pipe(
          Effect.provideService(References.MaxOpsBeforeYield, 3)
        )
        for (let i = 0; i < pauses; i++) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        const { a, b } = yield* session.read()
        assert.deepStrictEqual(
          [...b!.data],
          [...a!.data].map((x) => x + 1)
        )
      }
    }).pipe(Effect.scoped, Effect.provide(OnnxEngine.layer))
  )

  it.effect("says in one line what is missing or does not fit, and keeps its state", () =>
    Effect.gen(function* () {
      const engine = yield* Engine.Engine
      const session = yield* engine.session({ a: NdArray.make([2], [1, 2]) })
      const missing = yield* Effect.flip(session.advance(doubling))
      assert.strictEqual(
        missing.message,
        "the engine onnx could not run the program: expected an input «b» [2]; none came"
      )
      const wrong = yield* Effect.exit(session.advance(doubling, { b: NdArray.make([3], [1, 2, 3]) }))
      assert.isTrue(Exit.isFailure(wrong))
      assert.deepStrictEqual([...(yield* session.read()).a!.data], [1, 2])
    }).pipe(Effect.scoped, Effect.provide(OnnxEngine.layer))
  )
})
