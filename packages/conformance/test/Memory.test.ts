import { createRequire } from "node:module"
import { describe, expect, it } from "@effect/vitest"
import { Engine, NdArray, Primitives, Program, Tensor, TfjsEngine } from "@rai/core"
import { Effect, Exit, Fiber, References } from "effect"
import { Numbers } from "../src/index.ts"

const { memory } = createRequire(import.meta.url)("@tensorflow/tfjs-core") as typeof import("@tensorflow/tfjs-core")

const step = Effect.runSync(
  Program.make({ w: [3, 2], x: ["batch", 3], unused: [1] }, ({ w, x }) => {
    const h = x.matMul(w)
    const direction = x.matMul(h.sigmoidGradient(h.sigmoid()).tanh(), { transposeA: true })
    return { w: w.sub(direction.mul(0.01)), loss: h.square().sum([0, 1]).reshape([]), x, twice: h, again: h }
  })
)

// Adds an index to a number, which formulas do not let pass, and libtensorflow refuses in the middle of the run.
const mixed = { ...Primitives.table.get("add")!, takes: ["int", "float"] } as const
const failing = Effect.runSync(
  Program.make({ w: [3, 2] }, ({ w }) => {
    const h = w.tanh().mul(w)
    return {
      w: h.add(1),
      y: new Tensor.Tensor(mixed, [h.square().argMax(1), h.exp().sum([1])])
    }
  })
)

const state = { w: Numbers.array([3, 2], 1), unused: NdArray.full([1], 0) }
const x = Numbers.array([4, 3], 2)

for (const [name, layer] of [
  ["libtensorflow", TfjsEngine.layerNative],
  ["WebAssembly", TfjsEngine.layerWasm]
] as const) {
  describe(`tensors alive on ${name}`, () => {
    it.effect("are as many after 1,000 steps as after 10, and none when the session ends", () =>
      Effect.gen(function* () {
        const engine = yield* Engine.Engine
        const before = memory().numTensors
        yield* Effect.scoped(
          Effect.gen(function* () {
            const session = yield* engine.session(state)
            const advance = (times: number) =>
              Effect.forEach(Array(times), () => session.advance(step, { x }), { discard: true })
            yield* advance(10)
            const after10 = memory()
            yield* advance(990)
            expect(memory().numTensors).toBe(after10.numTensors)
            expect(memory().numDataBuffers).toBe(after10.numDataBuffers)
            expect(after10.numTensors - before).toBe(2)
            yield* session.write({ w: state.w, new: state.w })
            yield* session.read()
            expect(memory().numTensors - before).toBe(3)
          })
        )
        expect(memory().numTensors).toBe(before)
      }).pipe(Effect.provide(layer))
    )

    it.effect("are none more after a run, and after one that fails", () =>
      Effect.gen(function* () {
        const engine = yield* Engine.Engine
        const before = memory().numTensors
        const inputs = { ...state, x }
        yield* engine.run(step, inputs)
        expect(memory().numTensors).toBe(before)
        const wrong = yield* Effect.exit(engine.run(step, { ...inputs, x: NdArray.full([4, 2], 0) }))
        expect(Exit.isFailure(wrong)).toBe(true)
        expect(memory().numTensors).toBe(before)
        const missing = yield* Effect.flip(engine.run(step, { w: state.w }))
        expect(missing.message).toContain("expected an input «x» [batch,3]; none came")
        expect(memory().numTensors).toBe(before)
      }).pipe(Effect.provide(layer))
    )

    it.effect("are none more after a step that is interrupted, wherever that is", () =>
      Effect.gen(function* () {
        const engine = yield* Engine.Engine
        const session = yield* engine.session(state)
        const before = memory().numTensors
        // With a pause after every third operation, an interruption comes nearly anywhere.
        for (let pauses = 0; pauses < 60; pauses++) {
          const fiber = yield* Effect.forkChild(session.advance(step, { x })).pipe(
            Effect.provideService(References.MaxOpsBeforeYield, 3)
          )
          for (let i = 0; i < pauses; i++) yield* Effect.yieldNow
          yield* Fiber.interrupt(fiber)
          expect(memory().numTensors, `interrupted after ${pauses} pauses`).toBe(before)
        }
      }).pipe(Effect.scoped, Effect.provide(layer))
    )

    it.effect("are none more after a step that fails; the state stays as it was", () =>
      Effect.gen(function* () {
        const engine = yield* Engine.Engine
        const session = yield* engine.session(state)
        const before = memory().numTensors
        const wrong = yield* Effect.flip(session.advance(step, { x: NdArray.full([3], 0) }))
        expect(wrong.message).toContain("expected the input «x» to be [batch,3], but [3] came")
        expect(memory().numTensors).toBe(before)
        if (name === "libtensorflow") {
          const { message } = yield* Effect.flip(session.advance(failing))
          expect(message).toMatch(/^the engine tfjs-native could not run the program: .+$/)
        }
        expect(memory().numTensors).toBe(before)
        expect((yield* session.read(["w"])).w!.data).toEqual(state.w.data)
      }).pipe(Effect.scoped, Effect.provide(layer))
    )
  })
}
