import { describe, expect, it, layer } from "@effect/vitest"
import { Engine, NdArray, Primitives, ReferenceEngine, TfjsEngine } from "@rai/core"
import { OnnxEngine } from "@rai/onnx-engine"
import { Effect, Layer } from "effect"
import { Case, Cases, Conformance } from "../src/index.ts"

describe("the cases", () => {
  it("leave no primitive of the table out", () => {
    const shown = new Set(Cases.all.flatMap((of) => [...Case.primitives(of)]))
    expect([...Primitives.table.keys()].filter((name) => !shown.has(name))).toEqual([])
  })

  it("have names of their own", () => {
    const names = Cases.all.map(({ name }) => name)
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
  })
})

layer(TfjsEngine.layerNative)("TfjsEngine on libtensorflow answers as the reference", (it) => {
  for (const of of Cases.all) it.effect(of.name, () => Conformance.check(of))
})

layer(TfjsEngine.layerWasm)("TfjsEngine on WebAssembly answers as the reference", (it) => {
  for (const of of Cases.all) it.effect(of.name, () => Conformance.check(of))
})

layer(OnnxEngine.layer)("OnnxEngine answers as the reference", (it) => {
  for (const of of Cases.all) it.effect(of.name, () => Conformance.check(of))
})

describe("conformance", () => {
  const doubled = Case.make("x + x", { x: NdArray.make([2], [1, 2]) }, ({ x }) => ({ y: x.add(x) }))

  it.effect("finds nothing on the reference itself", () =>
    Effect.gen(function* () {
      expect(yield* Conformance.conformance(Cases.all)).toEqual([])
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  const answering = (y: NdArray.NdArray) =>
    Layer.succeed(Engine.Engine, {
      name: "wrong",
      run: () => Effect.succeed({ y }),
      session: () => Effect.fail(new Engine.EngineFailed({ engine: "wrong", reason: "no sessions" }))
    })

  it.effect.each([
    [
      "a wrong number",
      NdArray.make([2], [2, 4.1]),
      "expected 4 ± 0.000001 (1 + |b|) at 1 of [2], but 4.099999904632568 came"
    ],
    [
      "NaN for a number",
      NdArray.make([2], [Number.NaN, 4]),
      "expected 2 ± 0.000001 (1 + |b|) at 0 of [2], but NaN came"
    ],
    ["another shape", NdArray.make([2, 1], [2, 4]), "expected the shape [2], but [2,1] came"]
  ] as const)("reports %s", ([, y, reason]) =>
    Effect.gen(function* () {
      const [breach] = yield* Conformance.conformance([doubled])
      expect(breach?.message).toBe(`«x + x» on the engine wrong, output y: ${reason}; mend the engine's kernel`)
    }).pipe(Effect.provide(answering(y)))
  )
})
