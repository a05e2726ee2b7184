import { assert, describe, it } from "@effect/vitest"
import {
  Circuit,
  type Cut,
  Engine,
  HiddenLoss,
  Initializer,
  Loss,
  NdArray,
  Program,
  ReferenceEngine,
  Tensor,
  Wrapped
} from "@rai/core"
import { Effect, Record } from "effect"

const circuit = Circuit.perceptron([2, 3, 3, 3, 1], { activation: "tanh" })

describe("a wrapped circuit", () => {
  it.effect("relaxed at its own predictions costs what it does paused, and more where it differs", () =>
    Effect.gen(function* () {
      const wrapped = yield* Wrapped.make(circuit, { loss: HiddenLoss.squared, energy: "sum", λ: 2, period: 3 })
      assert.deepStrictEqual([...wrapped.sites], ["0", "1.0.1", "1.1.1"])
      const given = {
        ...Initializer.orthogonal(circuit, 1),
        x: NdArray.make([2, 2], [1, -2, 0.5, 3]),
        y: NdArray.make([2, 1], [1, 0])
      }
      const program = yield* Program.make(
        Record.map(given, ({ shape }) => shape),
        (of) => {
          const θ = (name: string) => of[name as keyof typeof of]!
          const z = wrapped.auxiliaries(θ, of.x)
          const cost = (by: number) =>
            wrapped.objective(
              Loss.meanSquaredError,
              θ,
              (place) => (place === "0" ? z[place]!.add(by) : z[place]!),
              of.x,
              of.y
            )
          return {
            same: cost(0).loss,
            other: cost(0.5).loss.sub(
              cost(0.5)
                .residuals!.slice(0, 1, 2)
                .mul(2 * 6)
                .reshape([])
            ),
            paused: Loss.meanSquaredError(wrapped.paused(θ, of.x), of.y)
          }
        }
      )
      const came = yield* Engine.run(program, given)
      assert.approximately(came.same!.data[0]!, came.paused!.data[0]!, 1e-12)
      // Six units that differ by a half, at λ = 2; what the next map says of it is taken out.
      assert.approximately(came.other!.data[0]!, came.paused!.data[0]! + 2 * 6 * 0.25, 1e-10)
      assert.deepStrictEqual([0, 1, 3, 6].map(wrapped.isDue), [false, false, true, true])
    }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("draws and normalises by the batch where a step of training is meant, and not else", () =>
    Effect.gen(function* () {
      const { batchNorm, dropout, linear, sequence } = Circuit
      const wrapped = yield* Wrapped.make(sequence(linear(2, 3), batchNorm(3), dropout(0.5), linear(3, 1)))
      const uniforms = wrapped.uniforms([4, 2])
      assert.deepStrictEqual(uniforms, { "2.uniform": [4, 3] })
      const asked: Array<string> = []
      const told: Array<string> = []
      const once = (training?: Cut.Training) =>
        wrapped.objective(
          Loss.meanSquaredError,
          (name) => {
            asked.push(name)
            const shapes = {
              ...Circuit.signature(sequence(linear(2, 3), batchNorm(3), dropout(0.5), linear(3, 1))),
              ...uniforms
            }
            return Tensor.input(name, shapes[name]!)
          },
          () => Tensor.input("z", [4, 3]),
          Tensor.input("x", [4, 2]),
          Tensor.input("y", [4, 1]),
          training
        )
      once()
      assert.notInclude(asked, "2.uniform")
      once({ random: true, onStatistic: (path) => told.push(path) })
      assert.include(asked, "2.uniform")
      assert.deepStrictEqual(told, ["1", "1"])
    })
  )

  it.effect("is not one where nothing is cut", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Wrapped.make(circuit, { include: "conv2d" }))
      assert.strictEqual(
        error.message,
        "expected a cut that matches some of linear, tanh, but conv2d, every 1, matches none; include another kind, cut more often, or cut the output too"
      )
      const seldom = yield* Effect.flip(Wrapped.make(circuit, { every: 9 }))
      assert.match(seldom.message, /linear, every 9, matches none/)
    })
  )
})
