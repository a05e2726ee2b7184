import { assert, describe, it } from "@effect/vitest"
import { Engine, NdArray, Program, Pseudorandom, ReferenceEngine, Tensor } from "@rai/core"
import { OnnxEngine } from "@rai/onnx-engine"
import { Effect } from "effect"

type Given = Readonly<Record<"a" | "b" | "w", Tensor.Tensor>>

const { concat, constant } = Tensor

/** Programs whose arrays share memory, or are replaced while others read them. */
const formulas: Readonly<Record<string, (given: Given) => Program.Program["outputs"]>> = {
  "views of inputs": ({ a }) => ({ whole: a, part: a.slice(0, 1, 3), one: a.at(0, 2), flat: a.reshape([20]) }),
  "views of results": ({ a, w }) => {
    const product = a.matMul(w)
    return { product, part: product.slice(0, 1, 4), one: product.at(0, 3), flat: product.reshape([20]) }
  },
  "views of what a pass computes": ({ a, b }) => {
    const sum = a.add(b)
    return { sum, part: sum.slice(0, 2, 4), one: sum.at(0, 0), again: sum.reshape([2, 10]).slice(0, 1, 2) }
  },
  "entries that change places": ({ a, b }) => ({ a: b, b: a }),
  "an entry that goes round through a pass": ({ a, b }) => ({ a: b.mul(2), b: a.mul(3) }),
  "an entry replaced while a pass reads a part of it": ({ a, b }) => ({
    a: a.add(b),
    shifted: a.slice(0, 1, 4).mul(2),
    kept: a
  }),
  "an entry replaced by itself shifted": ({ a }) => ({
    a: concat([a.slice(0, 1, 4), a.slice(0, 0, 1)], 0).add(a),
    before: a.at(0, 1)
  }),
  "an entry replaced by a result, and read by a pass": ({ a, b, w }) => ({ a: a.matMul(w), b: b.add(a) }),
  "put together of parts of one result": ({ a, w }) => {
    const product = a.matMul(w)
    return { joined: concat([product.slice(0, 1, 4), product.slice(0, 0, 2)], 0).mul(2), product }
  },
  "put together with what lies around it": ({ a, b, w }) => {
    const [first, last] = [a.matMul(w), b.matMul(w)]
    const joined = concat([first.slice(0, 2, 4), a.sum([0]), last.slice(0, 0, 3)], 0)
    return { joined: joined.mul(joined), first: first.at(0, 0) }
  },
  "elementwise work put together, which the pass can do": ({ a, b, w }) => {
    const slope = (x: Tensor.Tensor, s: Tensor.Tensor) => x.mul(s.mul(s.neg().add(1)))
    const [first, second] = [a.sigmoid(), b.slice(0, 3, 4).sigmoid()]
    const [back, last] = [slope(first.matMul(w), first), slope(second.matMul(w), second)]
    return { b: concat([back.slice(0, 1, 4), last], 0).sub(b), c: back.slice(0, 0, 1).add(1) }
  },
  "elementwise work on what is given, or not all of one kind": ({ a, b, w }) => ({
    given: concat([a.mul(2).slice(0, 1, 3), b.mul(2)], 0).add(1),
    mixed: concat([a.matMul(w).neg(), b.matMul(w).abs()], 0).add(1),
    clipped: concat([a.matMul(w).clip(-1, 1), b.matMul(w).clip(-1, Number.POSITIVE_INFINITY)], 0).add(1)
  }),
  "put together within what is put together": ({ a, b, w }) => {
    const inner = concat([a.matMul(w), b], 0).reshape([2, 4, 5])
    return { outer: concat([inner, inner.tanh()], 0).mul(0.5), inner }
  },
  "put together of numbers and inputs": ({ a }) => ({
    ends: concat([constant(1).broadcastTo([2, 5]), a, constant(0).broadcastTo([1, 5])], 0).add(1)
  }),
  "one thing twice": ({ a, w }) => {
    const product = a.matMul(w)
    return { twice: concat([product, product], 0).mul(3), same: product, other: product }
  },
  "one result under several names": ({ a, b }) => {
    const sum = a.add(b)
    return { a: sum, b: sum, report: sum }
  },
  "whole numbers and truth values": ({ a, b }) => ({ largest: a.argMax(1), above: a.greater(b), b: a }),
  "columns, which do not lie in one stretch": ({ a, w }) => ({
    column: a.slice(1, 1, 3).mul(2),
    joined: concat([a.slice(1, 0, 2), a.matMul(w).slice(1, 2, 5)], 1).add(1)
  })
}

const numbers = (shape: ReadonlyArray<number>, seed: number): NdArray.NdArray =>
  NdArray.make(shape, Pseudorandom.make(seed).normals(NdArray.size(shape)))

/** Returns the reports of three advances and the final state. */
const followed = (formula: (typeof formulas)[string]) =>
  Effect.gen(function* () {
    const engine = yield* Engine.Engine
    const program = yield* Program.make({ a: [4, 5], b: [4, 5], w: [5, 5] }, (given: Given) => formula(given))
    const session = yield* engine.session({ a: numbers([4, 5], 1), b: numbers([4, 5], 2), w: numbers([5, 5], 3) })
    const seen: Array<Engine.Arrays> = []
    // From the state, then with one input given beside it, then from the state again.
    for (const inputs of [{}, { b: numbers([4, 5], 4) }, {}]) {
      seen.push(yield* session.advance(program, inputs))
      seen.push(yield* session.read())
    }
    return seen
  }).pipe(Effect.scoped)

const assertAlike = (came: Engine.Arrays, expected: Engine.Arrays) => {
  assert.deepStrictEqual(Object.keys(came).sort(), Object.keys(expected).sort())
  for (const [name, { data, shape }] of Object.entries(expected)) {
    assert.deepStrictEqual(came[name]!.shape, shape, name)
    data.forEach((value, i) => {
      assert.isAtMost(Math.abs(came[name]!.data[i]! - value), 1e-5 * (1 + Math.abs(value)), `${name}[${i}]`)
    })
  }
}

describe("regions", () => {
  for (const [name, formula] of Object.entries(formulas)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const came = yield* Effect.provide(followed(formula), OnnxEngine.layer)
        const expected = yield* Effect.provide(followed(formula), ReferenceEngine.layer)
        came.forEach((arrays, i) => {
          assertAlike(arrays, expected[i]!)
        })
      })
    )
  }

  it.effect("that follow each other are read as one, as long as they do", () =>
    Effect.gen(function* () {
      const program = yield* Program.make({ a: [4, 4], b: [8, 4], w: [4, 4] }, ({ a, b, w }) => {
        const joined = concat([a.reshape([1, 4, 4]), b.reshape([2, 4, 4]).slice(0, 0, 2)], 0)
        return { product: joined.matMul(concat([w, w, w], 0).reshape([3, 4, 4])), parts: joined.slice(0, 1, 3).tanh() }
      })
      const arrays = { a: numbers([4, 4], 1), b: numbers([8, 4], 2), w: numbers([4, 4], 3) }
      const changed = { ...arrays, a: numbers([4, 4], 4) }
      const came = yield* Effect.gen(function* () {
        const engine = yield* Engine.Engine
        const session = yield* engine.session(arrays)
        const before = yield* session.advance(program)
        // Another shape lies elsewhere; back at its own it lies behind the others.
        yield* session.write({ a: numbers([5, 4], 1) })
        yield* session.write({ a: changed.a })
        return [before, yield* session.advance(program)]
      }).pipe(Effect.scoped, Effect.provide(OnnxEngine.layer))
      const expected = Effect.forEach([arrays, changed], (given) => Engine.run(program, given))
      for (const [i, arrays] of (yield* Effect.provide(expected, ReferenceEngine.layer)).entries()) {
        assertAlike(came[i]!, arrays)
      }
    })
  )

  it.effect("follow an entry that takes another shape, and lengths that runs decide", () =>
    Effect.gen(function* () {
      const engine = yield* Engine.Engine
      const program = yield* Program.make({ a: ["n", 2], scale: [] }, ({ a, scale }) => ({
        a: a.mul(scale.broadcastTo(a.shape)),
        sums: a.sum([1])
      }))
      const session = yield* engine.session({ a: numbers([3, 2], 1), scale: NdArray.make([], [2]) })
      for (const rows of [3, 7, 1, 3]) {
        const a = numbers([rows, 2], rows)
        yield* session.write({ a })
        const { sums } = yield* session.advance(program)
        assert.deepStrictEqual(sums!.shape, [rows, 1])
        const after = (yield* session.read(["a"])).a!
        assert.deepStrictEqual(
          [...after.data],
          [...a.data].map((x) => Math.fround(2 * x))
        )
      }
    }).pipe(Effect.scoped, Effect.provide(OnnxEngine.layer))
  )

  it.effect("of a result of another shape or type than its entry are its own", () =>
    Effect.gen(function* () {
      const came = yield* Effect.all(
        [OnnxEngine.layer, ReferenceEngine.layer].map((layer) =>
          Effect.gen(function* () {
            const engine = yield* Engine.Engine
            const program = yield* Program.make({ x: [4, 10] }, ({ x }) => ({
              small: x.mul(2),
              flat: x.reshape([40]),
              above: x.greater(0),
              largest: x.argMax(1)
            }))
            const names = ["small", "flat", "above", "largest", "last"]
            const entries = Object.fromEntries(names.map((name) => [name, NdArray.full([2], 7)]))
            const session = yield* engine.session({ x: numbers([4, 10], 1), ...entries })
            for (let i = 0; i < 2; i++) yield* session.advance(program)
            return yield* session.read()
          }).pipe(Effect.scoped, Effect.provide(layer))
        )
      )
      assertAlike(came[0]!, came[1]!)
    })
  )

  it.effect("hold whole numbers and truth values where a program wants numbers", () =>
    Effect.gen(function* () {
      const engine = yield* Engine.Engine
      const session = yield* engine.session({
        x: { shape: [4], data: Int32Array.of(1, 2, 3, 4) },
        y: { shape: [4], data: Uint8Array.of(1, 0, 1, 0) }
      })
      const program = yield* Program.make({ x: [4], y: [4] }, ({ x, y }) => ({ z: x.mul(2).add(y) }))
      assert.deepStrictEqual([...(yield* session.advance(program)).z!.data], [3, 4, 7, 8])
    }).pipe(Effect.scoped, Effect.provide(OnnxEngine.layer))
  )

  it.effect("may end where the memory does", () =>
    Effect.gen(function* () {
      const engine = yield* Engine.Engine
      for (const size of [16_368, 16_384 - 16, 384, 16_000]) {
        const session = yield* engine.session({ e: NdArray.full([size], 1) })
        const program = yield* Program.make({ e: [size] }, ({ e }) => ({ twice: e.slice(0, 1, size).mul(2) }))
        assert.strictEqual((yield* session.advance(program)).twice!.data.at(-1), 2)
      }
    }).pipe(Effect.scoped, Effect.provide(OnnxEngine.layer))
  )

  it.effect("that do not fit are refused in a line, and the session goes on", () =>
    Effect.gen(function* () {
      const engine = yield* Engine.Engine
      const session = yield* engine.session({ x: NdArray.make([1], [2]) })
      const huge = yield* Program.make({ x: [1] }, ({ x }) => ({ all: x.broadcastTo([1_200_000_000]).add(1) }))
      const error = yield* Effect.flip(session.advance(huge))
      assert.match(error.message, /expected its arrays to fit into the 4 GiB/)
      const small = yield* Program.make({ x: [1] }, ({ x }) => ({ x: x.add(1) }))
      yield* session.advance(small)
      assert.strictEqual((yield* session.read()).x!.data[0], 3)
    }).pipe(Effect.scoped, Effect.provide(OnnxEngine.layer))
  )

  it.effect("of an input that nothing reads need not be there twice; advances that overlap take turns", () =>
    Effect.gen(function* () {
      const engine = yield* Engine.Engine
      const session = yield* engine.session({ u: NdArray.make([1], [0]) })
      const program = yield* Program.make({ x: [1], u: [1] }, ({ x }) => ({ y: x.mul(2) }))
      const given = (x: number) => ({ x: NdArray.make([1], [x]), ...(x === 0 ? { u: NdArray.make([1], [1]) } : {}) })
      const came = yield* Effect.forEach([0, 1, 2, 3], (x) => session.advance(program, given(x)), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(
        came.map(({ y }) => y!.data[0]),
        [0, 2, 4, 6]
      )
    }).pipe(Effect.scoped, Effect.provide(OnnxEngine.layer))
  )

  it.effect("of two sessions of one engine lie apart, at once too", () =>
    Effect.gen(function* () {
      const engine = yield* Engine.Engine
      const program = yield* Program.make({ a: [3] }, ({ a }) => ({ a: a.add(1) }))
      const counted = (from: number) =>
        Effect.gen(function* () {
          const session = yield* engine.session({ a: NdArray.full([3], from) })
          for (let i = 0; i < 20; i++) yield* session.advance(program)
          return [...(yield* session.read()).a!.data]
        }).pipe(Effect.scoped)
      const both = yield* Effect.all([counted(0), counted(100)], { concurrency: "unbounded" })
      assert.deepStrictEqual(both, [
        [20, 20, 20],
        [120, 120, 120]
      ])
    }).pipe(Effect.provide(OnnxEngine.layer))
  )
})
