import { expect, it } from "@effect/vitest"
import { Engine, NdArray, Program, TfjsEngine } from "@rai/core"
import { Effect } from "effect"

const named = Effect.gen(function* () {
  const engine = yield* Engine.Engine
  const program = yield* Program.make({ x: [2] }, ({ x }) => ({ y: x.square() }))
  const { y } = yield* engine.run(program, { x: NdArray.make([2], [3, 4]) })
  return [engine.name, ...y!.data]
})

const native = Effect.provide(named, TfjsEngine.layerNative)
const wasm = Effect.provide(named, TfjsEngine.layerWasm)

it.effect("both backends of TensorFlow.js serve side by side, whichever is loaded or used first", () =>
  Effect.gen(function* () {
    expect(yield* wasm).toEqual(["tfjs-wasm", 9, 16])
    expect(yield* native).toEqual(["tfjs-native", 9, 16])
    expect(yield* wasm).toEqual(["tfjs-wasm", 9, 16])
    expect(yield* native).toEqual(["tfjs-native", 9, 16])
  })
)

it.effect("state of one backend survives runs of the other", () =>
  Effect.gen(function* () {
    const engine = yield* Engine.Engine
    const session = yield* engine.session({ x: NdArray.make([2], [3, 4]) })
    yield* wasm
    const program = yield* Program.make({ x: [2] }, ({ x }) => ({ x: x.add(1) }))
    yield* session.advance(program)
    yield* wasm
    expect([...(yield* session.read()).x!.data]).toEqual([4, 5])
  }).pipe(Effect.scoped, Effect.provide(TfjsEngine.layerNative))
)
