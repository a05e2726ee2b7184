import { assert, describe, it } from "@effect/vitest"
import { Engine, NdArray, Program, Pseudorandom, ReferenceEngine, type Tensor } from "@rai/core"
import { OnnxEngine } from "@rai/onnx-engine"
import { Effect } from "effect"

const numbers = (shape: ReadonlyArray<number>, seed: number): NdArray.NdArray =>
  NdArray.make(shape, Pseudorandom.make(seed).normals(NdArray.size(shape)))

/** A program long enough to be split into several graphs, whose last nodes read results of its first. */
const long = Program.make({ a: [4, 4], w: [4, 4] }, ({ a, w }) => {
  const first = a.matMul(w).tanh()
  const [largest, above] = [first.argMax(1), first.greater(0)]
  let x: Tensor.Tensor = first
  for (let i = 0; i < 2500; i++) x = x.matMul(w).tanh()
  const parts = first.slice(0, 1, 3).matMul(x)
  return {
    a: x.matMul(first),
    chosen: above.where(x, first).matMul(x),
    parts,
    again: first
      .reshape([2, 8])
      .slice(0, 1, 2)
      .reshape([2, 4])
      .matMul(parts.transpose([1, 0])),
    largest,
    first
  }
})

describe("a chain too long for one graph", () => {
  it.effect("hands on numbers, whole numbers, truth values and parts of what it has computed", () => {
    const followed = Effect.gen(function* () {
      const engine = yield* Engine.Engine
      const program = yield* long
      const session = yield* engine.session({ a: numbers([4, 4], 1), w: numbers([4, 4], 2) })
      return [yield* session.advance(program), yield* session.advance(program), yield* session.read()]
    }).pipe(Effect.scoped)
    return Effect.gen(function* () {
      const came = yield* Effect.provide(followed, OnnxEngine.layer)
      const expected = yield* Effect.provide(followed, ReferenceEngine.layer)
      for (const [i, arrays] of expected.entries()) {
        assert.deepStrictEqual(Object.keys(came[i]!).sort(), Object.keys(arrays).sort())
        for (const [name, { data, shape }] of Object.entries(arrays)) {
          assert.deepStrictEqual(came[i]![name]!.shape, shape, name)
          for (const [at, value] of data.entries()) {
            assert.approximately(came[i]![name]!.data[at]!, value, 1e-4, `${name}[${at}]`)
          }
        }
      }
    })
  })
})
