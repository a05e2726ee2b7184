import { assert, describe, it } from "@effect/vitest"
import { Engine, NdArray, Program, Pseudorandom, ReferenceEngine, Rprop, type Tensor } from "@rai/core"
import { OnnxEngine } from "@rai/onnx-engine"
import { Effect } from "effect"

type Given = Readonly<Record<"a" | "b" | "rate", Tensor.Tensor>>

/** Elementwise formulas over arrays and a scalar that cover every primitive of a pass. */
const formulas: Readonly<Record<string, (given: Given) => Tensor.Tensor>> = {
  arithmetic: ({ a, b, rate }) =>
    a
      .mul(b)
      .sub(a.div(b.abs().add(0.5)))
      .add(rate)
      .neg()
      .mul(0.25),
  roots: ({ a, rate }) => a.square().add(rate.square()).sqrt(),
  bounds: ({ a, b }) => a.maximum(b).minimum(b.neg()).clip(-0.75, 0.5),
  signs: ({ a, b }) => a.sign().mul(2).add(b.sign()),
  choices: ({ a, b, rate }) => a.greater(b).where(a.equal(0).where(b, rate.broadcastTo(a.shape)), a.mul(3)),
  counts: ({ a, b }) => a.greater(0).float().add(b.equal(a).float())
}

const special = [0, -0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-42, 1e18, 0.5]

const array = (shape: ReadonlyArray<number>, seed: number, shift: number): NdArray.NdArray => {
  const numbers = Float32Array.from(Pseudorandom.make(seed).normals(NdArray.size(shape)))
  for (let i = 0; i < Math.min(numbers.length, 100); i++) {
    numbers[i] = special[(i + shift * Math.floor(i / special.length)) % special.length]!
  }
  return { shape, data: numbers }
}

/** The smallest normal float32; the engine flushes smaller numbers to zero. */
const least = 2 ** -126

/** Flushes an array's subnormal numbers to zero, as the engine does. */
const flushed = ({ data, shape }: NdArray.NdArray): NdArray.NdArray => ({
  shape,
  data: data.map((value) => (Math.abs(value) < least ? 0 : value))
})

/** Returns the state after three steps from the arrays as `taken` gives them, and the last report. */
const stepped = (shape: ReadonlyArray<number>, taken = (array: NdArray.NdArray) => array) =>
  Effect.gen(function* () {
    const signature = { a: shape, b: shape, rate: [] as const }
    const program = yield* Program.make(signature, (given: Given) => {
      const results = Object.fromEntries(Object.entries(formulas).map(([name, formula]) => [name, formula(given)]))
      // Entries that replace what other results read; one result twice; a result that the graph reads too.
      return {
        ...results,
        a: given.b.mul(0.5),
        b: given.a,
        again: results.signs!,
        total: results.roots!.clip(0, 9).total()
      }
    })
    const engine = yield* Engine.Engine
    const [a, b, bounds] = [array(shape, 1, 0), array(shape, 2, 1), array(shape, 3, 0)].map(taken)
    const session = yield* engine.session({ a: a!, b: b!, bounds: bounds! })
    let report: Engine.Arrays = {}
    for (let step = 0; step < 3; step++) {
      report = yield* session.advance(program, { rate: NdArray.make([], [0.3 + step]) })
    }
    return { ...report, ...(yield* session.read()) }
  }).pipe(Effect.scoped)

/** Whether |a − b| ≤ 1e-6 (1 + |b|), or both are the same NaN or infinity. */
const isClose = (a: number, b: number): boolean => {
  if (Number.isNaN(b) || !Number.isFinite(b)) return Object.is(a, b)
  return Math.abs(a - b) <= 1e-6 * (1 + Math.abs(b))
}

/** Rprop as its comment states it, each operation rounded to float32. */
const rprop = (p: number, g: number, { sign, step }: { readonly sign: number; readonly step: number }) => {
  const f = Math.fround
  const a = Math.sign(g) * sign
  const Δ = Math.min(f(50), Math.max(f(1e-6), f(step * (a > 0 ? f(1.2) : a < 0 ? 0.5 : 1))))
  const s = a < 0 ? 0 : Math.sign(g)
  return { p: f(p - f(s * Δ)), sign: s, step: Δ }
}

describe("passes generated from a program", () => {
  it.effect("are Rprop to the last bit, at its smallest and largest steps too", () =>
    Effect.gen(function* () {
      const n = 512
      const rule = Rprop.make(0.1)
      const program = yield* Program.make({ p: [n], g: [n], sign: [n], step: [n], rate: [] }, (given) => {
        const { parameter, slots } = rule.update(given.p, given.g, { sign: given.sign, step: given.step }, given.rate)
        return { p: parameter, ...slots }
      })
      const random = Pseudorandom.make(7)
      const p = Float32Array.from(random.normals(n))
      const step = Float32Array.from({ length: n }, (_, i) => [0.1, 1e-6, 1.5e-6, 49, 50][i % 5]!)
      let expected = [...p].map((one, i) => ({ p: one, sign: 0, step: step[i]! }))
      const engine = yield* Engine.Engine
      const float = (data: Float32Array) => ({ shape: [n], data })
      const session = yield* engine.session({ p: float(p), sign: NdArray.full([n], 0), step: float(step) })
      for (let turn = 0; turn < 12; turn++) {
        const g = Float32Array.from(random.normals(n)).map((one, i) =>
          i % 7 === 0 ? 0 : i % 3 === 0 ? Math.abs(one) : one
        )
        yield* session.advance(program, { g: float(g), rate: NdArray.make([], [0.1]) })
        expected = expected.map((one, i) => rprop(one.p, g[i]!, one))
      }
      const came = yield* session.read()
      for (const name of ["p", "step", "sign"] as const) {
        // 0 and −0 move nothing alike.
        assert.deepStrictEqual(
          [...came[name]!.data].map((one) => one + 0),
          expected.map((one) => one[name] + 0),
          name
        )
      }
      assert.isAbove(new Set(expected.map(({ step }) => step)).size, 20)
    }).pipe(Effect.scoped, Effect.provide(OnnxEngine.layer))
  )

  for (const shape of [[1], [2], [3, 7], [100], [1003], [4, 5, 13]]) {
    it.effect(`answer as the reference, special numbers too: [${shape.join()}]`, () =>
      Effect.gen(function* () {
        const expected = yield* Effect.provide(stepped(shape, flushed), ReferenceEngine.layer)
        const came = yield* Effect.provide(stepped(shape), OnnxEngine.layer)
        assert.deepStrictEqual(Object.keys(came).sort(), Object.keys(expected).sort())
        for (const [name, { data }] of Object.entries(expected)) {
          if (name === "total") continue // sums of infinities; its place in the graph is what counts
          const at = data.findIndex((value, i) => !isClose(came[name]!.data[i]!, value))
          assert.strictEqual(at, -1, `${name}[${at}]: ${came[name]!.data[at]} for ${data[at]}`)
        }
      })
    )
  }

  const large: Readonly<Record<string, Effect.Effect<readonly [Program.Program, Engine.Arrays], unknown>>> = {
    "1,100 arrays in one": Effect.gen(function* () {
      const names = Array.from({ length: 1100 }, (_, i) => `a${i}`)
      const program = yield* Program.make(Object.fromEntries(names.map((name) => [name, [5]])), (given) => ({
        sum: names.map((name) => given[name]!.mul(0.5)).reduce((a, b) => a.add(b))
      }))
      return [program, Object.fromEntries(names.map((name, i) => [name, NdArray.full([5], i)]))]
    }),
    "a chain longer than the call stack, and than a function's room": Effect.gen(function* () {
      const program = yield* Program.make({ a: [3] }, ({ a }) => {
        let x = a
        for (let i = 0; i < 20_000; i++) x = x.mul(0.999).add(0.001)
        return { x }
      })
      return [program, { a: NdArray.make([3], [-1, 0, 2]) }]
    }),
    "division by 0 and by −0": Effect.gen(function* () {
      const program = yield* Program.make({ a: [3] }, ({ a }) => ({ below: a.div(-0), above: a.div(0) }))
      return [program, { a: NdArray.make([3], [1, -1, 2]) }]
    })
  }
  for (const [name, made] of Object.entries(large)) {
    it.effect(`answer as the reference: ${name}`, () =>
      Effect.gen(function* () {
        const [program, given] = yield* made
        const expected = yield* Engine.run(program, given).pipe(Effect.provide(ReferenceEngine.layer))
        const came = yield* Engine.run(program, given).pipe(Effect.provide(OnnxEngine.layer))
        for (const [output, { data }] of Object.entries(expected)) {
          data.forEach((value, i) => {
            const other = came[output]!.data[i]!
            const isNear = Object.is(other, value) || Math.abs(other - value) <= 1e-4 * (1 + Math.abs(value))
            assert.isTrue(isNear, `${output}[${i}]: ${other} for ${value}`)
          })
        }
      })
    )
  }
})
