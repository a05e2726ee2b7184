import { assert, describe, it } from "@effect/vitest"
import { Circuit, Phase, PhaseState, Program, Programs, Rewrite, Rprop, Simplify, Tensor } from "@rai/core"
import { Operators } from "@rai/export"
import { Effect } from "effect"
import * as Deferred from "../src/Deferred.ts"
import * as Partition from "../src/Partition.ts"

const { concat } = Tensor

type Given = Readonly<Record<"a" | "b" | "w", Tensor.Tensor>>

/** Returns the names of a program's primitives that are left to the graph. */
const inGraph = (program: Program.Program): ReadonlyArray<string> => {
  const { kernels, needed } = Partition.make(program)
  const passed = new Set(kernels.flatMap(({ nodes }) => nodes))
  const names = Program.order(needed).filter((node) => !passed.has(node) && Simplify.filledWith(node) === undefined)
  return names.map(({ primitive }) => primitive.name).filter((name) => name !== "input")
}

const deferred = (formula: (given: Given) => Program.Program["outputs"]) =>
  Effect.gen(function* () {
    const program = yield* Program.make({ a: [4, 5], b: [4, 5], w: [5, 5] }, (given: Given) => formula(given))
    return { before: inGraph(Simplify.simplify(program)), after: inGraph(Deferred.make(Simplify.simplify(program))) }
  })

describe("elementwise work on what is put together", () => {
  it.effect("is a pass's, where a pass alone reads it", () =>
    Effect.gen(function* () {
      const slope = (x: Tensor.Tensor) => x.mul(x.neg().add(1))
      const parts = ({ a, b, w }: Given) => [slope(a.matMul(w)).slice(0, 1, 4), slope(b.matMul(w)).slice(0, 0, 1)]
      const alone = yield* deferred((given) => ({ b: concat(parts(given), 0).mul(given.b) }))
      assert.include(alone.before, "mul")
      assert.notInclude(alone.after, "mul")
      assert.notInclude(alone.after, "neg")
      const read = yield* deferred((given) => {
        const together = concat(parts(given), 0)
        return { b: together.mul(given.b), product: together.matMul(given.w) }
      })
      assert.deepStrictEqual(read.after, read.before)
    })
  )

  it.effect("stays where it is on what is given, which would be copied, and where the parts are not alike", () =>
    Effect.gen(function* () {
      for (const parts of [
        ({ a, b }: Given) => [a.mul(2), b.mul(2)],
        ({ a, b, w }: Given) => [a.matMul(w).neg(), b.matMul(w).abs()],
        ({ a, b, w }: Given) => [a.matMul(w).clip(-1, 1), b.matMul(w).clip(-1, Number.POSITIVE_INFINITY)]
      ]) {
        const { after, before } = yield* deferred((given) => ({ joined: concat(parts(given), 0).add(1) }))
        assert.deepStrictEqual(after, before)
      }
    })
  )

  it.effect("of a relaxing step are the slopes of activations", () =>
    Effect.gen(function* () {
      const circuit = Circuit.perceptron([2, ...Array<number>(30).fill(32), 1], { activation: "sigmoid" })
      const phase = Phase.relax({ steps: 1, optimizer: Rprop.make(0.1) })
      const subject = { circuit, task: "binary", x: [100, 2], y: [100, 1], validation: undefined } as const
      const { step } = yield* Programs.make(subject, phase, yield* PhaseState.make(subject, phase))
      const ofAuxiliaries = (program: Program.Program) =>
        Partition.make(program).kernels.find(({ size }) => size === 29 * 100 * 32)!
      const program = Simplify.simplify(Rewrite.expand(step, (composite) => Operators.table.has(composite)))
      const [before, after] = [ofAuxiliaries(program), ofAuxiliaries(Deferred.make(program))]
      // (δ Wᵀ) · (σ · (1 − σ))
      assert.strictEqual(after.nodes.length, before.nodes.length + 3)
      assert.strictEqual(after.arrays.length, before.arrays.length + 1)
    })
  )
})
