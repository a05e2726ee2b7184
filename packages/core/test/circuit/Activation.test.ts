import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Circuit, Engine, Gradient, Program, ReferenceEngine, TfjsEngine } from "@rai/core"
import { Effect } from "effect"
import { mirroring } from "../../src/circuit/Activation.ts"

/** Written by activations.py: PyTorch in float64. */
const fixture: {
  readonly points: ReadonlyArray<number>
  readonly functions: Readonly<Record<string, { readonly [of in "value" | "derivative"]: ReadonlyArray<number> }>>
} = JSON.parse(readFileSync(new URL("../fixtures/activations.json", import.meta.url), "utf8"))

const evaluated = (f: Circuit.Circuit & { readonly _tag: "Block" }, data: Float64Array) =>
  Effect.gen(function* () {
    const value = yield* Program.make({ x: [data.length] }, ({ x }) => {
      const y = f.apply(x, {})
      return { value: y, loss: y.total() }
    })
    const program = yield* Gradient.make({ of: "loss", inputs: ["x"] })(value)
    const found = yield* Engine.run(program, { x: { shape: [data.length], data } })
    return { value: found.value!.data, derivative: found["gradient/x"]!.data }
  })

const agrees = (name: string, tolerance: number) =>
  Effect.gen(function* () {
    const { functions, points } = fixture
    const found = yield* evaluated(Circuit.activations[name as Circuit.Activation], Float64Array.from(points))
    for (const of of ["value", "derivative"] as const) {
      functions[name]![of].forEach((expected, i) => {
        const came = found[of][i]!
        const near = Math.abs(came - expected) <= tolerance * (1 + Math.abs(expected))
        assert.isTrue(near, `${of} of ${name} at ${points[i]}: expected ${expected}, but ${came} came`)
      })
    }
  })

describe("each activation function is PyTorch's, value and derivative", () => {
  it("all are in the fixture", () => {
    assert.sameMembers(Object.keys(fixture.functions), Object.keys(Circuit.activations))
  })

  for (const name of Object.keys(Circuit.activations)) {
    // PyTorch's softplus is x itself beyond 20, up to 1e-9 from the formula.
    const tolerance = name === "softplus" ? 1e-9 : 1e-14
    it.effect(`${name}, float64`, () => agrees(name, tolerance).pipe(Effect.provide(ReferenceEngine.layer)))
    it.effect(`${name}, libtensorflow`, () => agrees(name, 1e-6).pipe(Effect.provide(TfjsEngine.layerNative)))
    it.effect(`${name}, WebAssembly`, () => agrees(name, 1e-6).pipe(Effect.provide(TfjsEngine.layerWasm)))
  }

  it.effect.each([TfjsEngine.layerNative, TfjsEngine.layerWasm])(
    "finite far out, where squares and exponentials overflow float32",
    (layer) =>
      Effect.gen(function* () {
        for (const [name, f] of Object.entries(Circuit.activations)) {
          const { derivative, value } = yield* evaluated(f, Float64Array.of(1e25, -1e25, 3e38, -3e38))
          for (const number of [...value, ...derivative]) assert.isTrue(Number.isFinite(number), `${name}: ${number}`)
        }
      }).pipe(Effect.provide(layer))
  )
})

describe("two mirrored units of a function that mirrors, and of no other, pass a signal on unchanged", () => {
  const points = Float64Array.of(0.5, 1, 2, 4)
  for (const [name, f] of Object.entries(Circuit.activations)) {
    // One of them is linear by itself, the other no function of one number.
    if (name === "identity" || name === "softmax") continue
    it.effect(name, () =>
      Effect.gen(function* () {
        const [above, below] = [
          yield* evaluated(f, points),
          yield* evaluated(
            f,
            points.map((x) => -x)
          )
        ]
        const slopes = Array.from(points, (x, i) => (above.value[i]! - below.value[i]!) / x)
        const isLinear = slopes.every((slope) => Math.abs(slope - slopes[0]!) < 1e-9)
        assert.strictEqual(mirroring.has(name), isLinear)
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }
})
