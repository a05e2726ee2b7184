import { assert, describe, it } from "@effect/vitest"
import { Engine, NdArray, Print, Program, Pseudorandom, ReferenceEngine, type Tensor } from "@rai/core"
import { Effect } from "effect"
import * as Factors from "../src/Factors.ts"

type Given = Readonly<Record<"a" | "b" | "v" | "w", Tensor.Tensor>>

const shapes = { a: [4, 5], b: [4, 5], v: [1, 4], w: [5, 5] }

const arrays: Engine.Arrays = Object.fromEntries(
  Object.entries(shapes).map(([name, shape], i) => [
    name,
    NdArray.make(shape, Pseudorandom.make(i).normals(NdArray.size(shape)))
  ])
)

const rewritten = (formula: (given: Given) => Tensor.Tensor) =>
  Effect.gen(function* () {
    const program = yield* Program.make(shapes, (given: Given) => ({ output: formula(given) }))
    const after = Factors.make(program)
    const [expected, came] = [yield* Engine.run(program, arrays), yield* Engine.run(after, arrays)]
    came.output!.data.forEach((value, i) => {
      assert.closeTo(value, expected.output!.data[i]!, 1e-12 * (1 + Math.abs(value)))
    })
    return Print.print(after)
      .split("\n")
      .flatMap((line) => / = (matMul|sum|mul|neg) /.exec(line)?.[1] ?? [])
      .join()
  }).pipe(Effect.provide(ReferenceEngine.layer))

describe("constant factors", () => {
  const cases: ReadonlyArray<readonly [string, (given: Given) => Tensor.Tensor, string]> = [
    ["go behind a product", ({ a, w }) => a.mul(0.5).matMul(w), "matMul,mul"],
    ["of both operands become one", ({ a, w }) => a.mul(0.5).matMul(w.mul(3)), "matMul,mul"],
    ["stay before a sum, which could overflow without them", ({ a }) => a.mul(0.5).sum([0]), "mul,sum"],
    ["stay where they change signs", ({ a, w }) => a.neg().matMul(w), "neg,matMul"],
    ["go through several products", ({ a, w }) => a.mul(2).matMul(w).matMul(w), "matMul,matMul,mul"],
    [
      "of something small stay before what is large",
      ({ b, v }) => v.mul(2).matMul(b.slice(0, 0, 1), { transposeA: true }),
      "mul,matMul"
    ],
    ["that are no constants stay", ({ a, b, w }) => a.mul(b).matMul(w), "mul,matMul"]
  ]
  for (const [name, formula, operations] of cases) {
    it.effect(name, () => Effect.map(rewritten(formula), (came) => assert.strictEqual(came, operations)))
  }
})
