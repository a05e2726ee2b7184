import { describe, expect, it } from "@effect/vitest"
import { Batch, Circuit, Engine, Evaluation, Gradient, Loss, Program, ReferenceEngine, Tensor } from "@rai/core"
import { Effect } from "effect"
import { Law, Numbers } from "../src/index.ts"

const products = ({ nodes }: Program.Program) => nodes.filter(({ primitive }) => primitive.name === "matMul").length

describe("products and sums that are put together", () => {
  it.effect("of backpropagation through a repeated block become one each", () =>
    Effect.gen(function* () {
      const circuit = Circuit.perceptron([2, ...Array<number>(9).fill(6), 1], { activation: "tanh" })
      const shapes = { ...Circuit.signature(circuit), x: [5, 2], y: [5, 1] }
      const program = yield* Program.make(shapes, (given) => {
        const names = Object.keys(Circuit.parameters(circuit))
        const θ = (name: string) => given[name as keyof typeof given]!
        const loss = Loss.binaryCrossEntropy(Evaluation.evaluate(circuit, θ, given.x), given.y)
        const slopes = Gradient.gradients(loss, names.map(θ))
        return Object.fromEntries(names.map((name, i) => [`gradient/${name}`, slopes[i]!]))
      })
      const batched = Batch.batch(program)
      // Ten forward, nine back and ten for the weights, of which the repeated block's eight become one.
      expect([products(program), products(batched)]).toEqual([29, 22])
      const given = Object.fromEntries(
        Object.entries(shapes).map(([name, shape], i) => [name, Numbers.array(shape as ReadonlyArray<number>, i)])
      )
      const run = (of: Program.Program) => Engine.run(of, given)
      const [came, expected] = [yield* run(batched), yield* run(program)]
      for (const [name, array] of Object.entries(expected)) {
        expect(Law.broken(came[name], array, array.shape, 1e-12), name).toBeUndefined()
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("within what is put together again keep their own axes", () =>
    Effect.gen(function* () {
      const a = Numbers.array([3, 3], 1)
      const joined = (counts: ReadonlyArray<number>) =>
        Program.make({ a: [3, 3] }, ({ a }) => {
          const sums = (outer: number) =>
            Array.from({ length: counts[outer]! }, (_, i) => {
              const own = a.mul(1 + outer + 4 * i)
              return outer % 2 === 0 ? own.sum([0]) : own.sum([1]).reshape([1, 3])
            })
          return {
            joined: Tensor.concat(
              counts.map((_, outer) => Tensor.concat(sums(outer), 0)),
              0
            )
          }
        })
      for (const counts of [
        [4, 4, 4, 4],
        [4, 3, 4, 3],
        [2, 3, 4, 5]
      ]) {
        const program = yield* joined(counts)
        const [came, expected] = [yield* Engine.run(Batch.batch(program), { a }), yield* Engine.run(program, { a })]
        expect(Law.broken(came.joined, expected.joined!, expected.joined!.shape, 1e-12)).toBeUndefined()
      }
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("stay as they are where something else reads one of them, or they differ", () =>
    Effect.gen(function* () {
      const program = yield* Program.make({ a: [4, 3], b: [3, 4] }, ({ a, b }) => {
        const parts = [1, 2, 3, 4].map((c) => a.mul(c).matMul(b))
        const sums = [a.sum([0]), a.sum([0]).mul(2), b.sum([1]).reshape([1, 3]), a.sum([0])]
        return { joined: Tensor.concat(parts, 0), first: parts[0]!, sums: Tensor.concat(sums, 0) }
      })
      expect(Batch.batch(program)).toBe(program)
    })
  )
})
