import { readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import { Circuit, Engine, Initializer, NdArray, Phase, PhaseState, Programs, Rprop, TfjsEngine } from "@rai/core"
import * as TfjsTensor from "@rai/core/tfjs"
import * as tf from "@tensorflow/tfjs-core"
import { Effect } from "effect"
import * as FromScratch from "../src/rai-from-scratch.ts"

const [steps, rate, tolerance] = [50, 0.001, 1e-5]
const widths = [2, 20, 20, 20, 20, 20, 1]

/** The circuit of `rai-from-scratch.ts` with each stage separate: `2t` is the t-th linear map. */
const chain = Circuit.sequence(
  ...widths.slice(1).flatMap((n, t) => [...(t === 0 ? [] : [Circuit.sigmoid]), Circuit.linear(widths[t]!, n)])
)

/** The same circuit as the library builds it: hidden maps repeated, their auxiliaries and parameters stacked. */
const stacked = Circuit.perceptron(widths, { activation: "sigmoid" })

const join = (arrays: ReadonlyArray<NdArray.NdArray>): NdArray.NdArray => ({
  shape: [arrays.length, ...arrays[0]!.shape],
  data: Float32Array.from(arrays.flatMap(({ data }) => Array.from(data)))
})

/** Returns the state of `rai-from-scratch.ts` under the library's names. */
const named = (state: FromScratch.State, circuit: Circuit.Circuit): Record<string, NdArray.NdArray> => {
  const [W, b, z] = [state.W, state.b, state.z].map((arrays) =>
    arrays.map(({ value }) => TfjsTensor.toArray(value))
  ) as [Array<NdArray.NdArray>, Array<NdArray.NdArray>, Array<NdArray.NdArray>]
  if (circuit === chain) {
    return Object.fromEntries([
      ...W.map((array, t) => [`${2 * t}.weight`, array] as const),
      ...b.map((array, t) => [`${2 * t}.bias`, array] as const),
      ...z.map((array, t) => [`z/${2 * t}`, array] as const)
    ])
  }
  const ends = { "0.weight": W[0]!, "0.bias": b[0]!, "3.weight": W.at(-1)!, "3.bias": b.at(-1)!, "z/0": z[0]! }
  const middle = {
    "1.*.1.weight": join(W.slice(1, -1)),
    "1.*.1.bias": join(b.slice(1, -1)),
    "z/1.*.1": join(z.slice(1))
  }
  return { ...ends, ...middle }
}

/** Returns the largest |a − b| / (1 + |b|). */
const difference = (a: NdArray.NdArray, b: NdArray.NdArray): number => {
  expect(a.shape).toEqual(b.shape)
  return Math.max(...Array.from(a.data, (x, i) => Math.abs(x - b.data[i]!) / (1 + Math.abs(b.data[i]!))))
}

/** Runs both from the same start through the same steps on the same engine, without resynchronising in between. */
const sideBySide = Effect.fnUntraced(function* (circuit: Circuit.Circuit) {
  const engine = yield* Engine.Engine
  const { W, b, x, y } = FromScratch.problem(widths, 1)
  let state = FromScratch.start(W, b, x, rate)
  const phase = Phase.relax({ steps, optimizer: Rprop.make(rate) })
  const subject = { circuit, task: "binary", x: x.shape, y: y.shape } as const
  const layout = yield* PhaseState.make(subject, phase)
  const programs = yield* Programs.make(subject, phase, layout)
  const names = Object.keys(Initializer.pytorch(circuit, 0))
  const start = named(state, circuit)
  const session = yield* engine.session({
    x: TfjsTensor.toArray(x),
    y: TfjsTensor.toArray(y),
    ...Object.fromEntries(names.map((name) => [name, start[name]!]))
  })
  yield* session.write(yield* session.advance(programs.refresh!))
  for (const slots of layout.slots(1)) yield* session.write(slots())
  const rates = { rate: NdArray.full([], rate), λ: NdArray.full([], 1) }
  for (let i = 0; i <= steps; i++) {
    const own = named(state, circuit)
    const library = yield* session.read(Object.keys(own))
    for (const [name, array] of Object.entries(own)) {
      expect(difference(array, library[name]!), `${name} after ${i} steps`).toBeLessThanOrEqual(tolerance)
    }
    const { freeRunLoss, relaxedLoss } = yield* session.advance(programs.measure)
    const measured = tf.tidy(() => FromScratch.measure(state, x, y))
    expect(Math.abs(measured.freeRunLoss - freeRunLoss!.data[0]!)).toBeLessThanOrEqual(tolerance)
    expect(Math.abs(measured.relaxedLoss - relaxedLoss!.data[0]!)).toBeLessThanOrEqual(tolerance)
    const before = state
    state = tf.tidy(() => FromScratch.step(before, x, y))
    tf.dispose(before)
    yield* session.advance(programs.step, rates)
  }
  tf.dispose([state, { W, b, x, y }])
})

describe("the method from scratch", () => {
  it("is under a hundred lines and imports nothing of ours", () => {
    const source = readFileSync(new URL("../src/rai-from-scratch.ts", import.meta.url), "utf8")
    expect(source.trimEnd().split("\n").length).toBeLessThan(100)
    expect(Array.from(source.matchAll(/^import .*"(.*)"$/gm), ([, from]) => from)).toEqual([
      "@tensorflow/tfjs-backend-cpu",
      "@tensorflow/tfjs-core"
    ])
  })

  it.effect(`equals the library at each of ${steps} steps`, () =>
    sideBySide(chain).pipe(Effect.scoped, Effect.provide(TfjsEngine.layer))
  )

  it.effect(`equals the library's stacked stages at each of ${steps} steps`, () =>
    sideBySide(stacked).pipe(Effect.scoped, Effect.provide(TfjsEngine.layer))
  )
})
