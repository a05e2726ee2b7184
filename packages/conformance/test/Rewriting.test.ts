import { describe, expect, it, layer } from "@effect/vitest"
import {
  Engine,
  Gradient,
  NdArray,
  Print,
  Program,
  ReferenceEngine,
  Rewrite,
  Simplify,
  Tensor,
  TfjsEngine
} from "@rai/core"
import { Effect } from "effect"
import { type Case, Cases, Law } from "../src/index.ts"
import * as RelaxedCases from "./RelaxedCases.ts"

/** Returns the case of a relaxed step's program with its gradients. */
const withGradients = (of: Case.Case): Case.Case => {
  const inputs = Object.keys(of.inputs)
  const program = Effect.runSync(Gradient.make({ of: "loss", inputs })(of.program))
  return { ...of, name: `${of.name}, with its gradients`, program }
}

const cases = [...Cases.all, ...RelaxedCases.all.map(withGradients)]

const keeps = (of: Case.Case, changed: Program.Program, tolerance: number) =>
  Effect.gen(function* () {
    const before = yield* Engine.run(of.program, of.inputs)
    const after = yield* Engine.run(changed, of.inputs)
    expect(Object.keys(after)).toEqual(Object.keys(before))
    for (const [name, array] of Object.entries(before)) {
      expect(Law.broken(after[name], array, array.shape, tolerance), name).toBeUndefined()
    }
  })

layer(ReferenceEngine.layer)("Simplify keeps every output", (it) => {
  for (const of of cases) {
    it.effect(of.name, () =>
      Effect.gen(function* () {
        const simple = Simplify.simplify(of.program)
        yield* keeps(of, simple, 1e-12)
        expect(simple.nodes.length).toBeLessThanOrEqual(of.program.nodes.length)
        expect(Print.print(Simplify.simplify(simple)), "nothing is left to simplify").toBe(Print.print(simple))
      })
    )
  }
})

it.effect("two transpositions are one, and none where they undo each other", () =>
  Effect.gen(function* () {
    const program = yield* Program.make({ x: ["batch", 2, 3] }, ({ x }) => ({
      there: x!.transpose([1, 0, 2]).transpose([2, 1, 0]),
      back: x!.transpose([1, 2, 0]).transpose([2, 0, 1]).neg()
    }))
    const names = (of: Program.Program) => of.nodes.map(({ primitive }) => primitive.name)
    expect(names(Simplify.simplify(program)).toSorted()).toEqual(["input", "neg", "transpose"])
    expect(Simplify.simplify(program).outputs.there!.attributes).toEqual({ permutation: [2, 0, 1] })
  })
)

layer(TfjsEngine.layerNative)("Rewrite.expand keeps every output of fused kernels", (it) => {
  const composite = cases.filter(({ program }) => program.nodes.some((node) => node.primitive.definition !== undefined))
  it("there are some", () => expect(composite.length).toBeGreaterThan(20))
  for (const of of composite) {
    it.effect(of.name, () => {
      const expanded = Rewrite.expand(of.program)
      expect(expanded.nodes.filter((node) => node.primitive.definition !== undefined)).toEqual([])
      return keeps(of, expanded, 1e-5)
    })
  }
})

layer(ReferenceEngine.layer)("Simplify of products of many examples", (it) => {
  // A right factor that is the same for all of them: a matrix, in full or behind an axis of its own, and what is spread to one.
  for (const shape of [[4, 5], [1, 4, 5], [], [5], [1, 5], [1, 1, 5], [4, 1], [2, 4, 5]]) {
    it.effect(`by what is of shape [${shape}]`, () =>
      Effect.gen(function* () {
        const size = shape.reduce((total, n) => total * n, 1)
        const b = NdArray.make(
          shape,
          Array.from({ length: size }, (_, i) => Math.sin(1 + i))
        )
        const x = NdArray.make(
          [2, 3, 4],
          Array.from({ length: 24 }, (_, i) => Math.cos(i))
        )
        const program = yield* Program.make({ x: [2, 3, 4], b: shape }, (of) => ({
          y: of.x.matMul(of.b.broadcastTo([2, 4, 5]))
        }))
        const [came, expected] = [
          yield* Engine.run(Simplify.simplify(program), { b, x }),
          yield* Engine.run(program, { b, x })
        ]
        expect(Law.broken(came.y, expected.y!, [2, 3, 5], 1e-12)).toBeUndefined()
      })
    )
  }
})

describe("Simplify", () => {
  const lines = (formula: (x: Tensor.Tensor) => Tensor.Tensor) => {
    const program = Effect.runSync(Program.make({ x: [2, 3] }, ({ x }) => ({ y: formula(x) })))
    return Print.print(Simplify.simplify(program)).split("\n")
  }

  it("computes equal parts once", () => {
    expect(lines((x) => x.tanh().mul(x.tanh()))).toEqual([
      "x: [2,3]",
      "%1: [2,3] = tanh x",
      "%2: [2,3] = mul %1 %1",
      "→ y = %2"
    ])
  })

  it("drops neutral operations", () => {
    expect(lines((x) => x.mul(1).add(0).sub(0).div(1).neg().neg().reshape([6]).reshape([2, 3]))).toEqual([
      "x: [2,3]",
      "→ y = x"
    ])
  })

  it("makes one factor of several", () => {
    expect(lines((x) => x.mul(2).neg().mul(0.25).mul(-2))).toEqual(["x: [2,3]", "→ y = x"])
    expect(lines((x) => x.mul(Tensor.constant(3).mul(0.5).neg()))).toEqual([
      "x: [2,3]",
      "%1: [] = -1.5",
      "%2: [2,3] = broadcast %1 to=[2,3]",
      "%3: [2,3] = mul x %2",
      "→ y = %3"
    ])
  })

  it("does not take one number that is not finite for another", () => {
    expect(lines((x) => x.mul(Tensor.constant(Number.NaN)).add(x.mul(Number.POSITIVE_INFINITY))).join()).toContain(
      "= NaN"
    )
  })
})
