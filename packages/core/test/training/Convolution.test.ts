import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Circuit, Cut, Dataset, Digits, FreeRun, Initializer, Plan, Score, TfjsEngine, Training } from "@rai/core"
import { Effect, Layer } from "effect"
import { convolution } from "./Convolution.ts"

const circuitOf = (f: Circuit.Circuit) =>
  Circuit.sequence(
    convolution(8, 1, 4),
    f,
    Circuit.repeat(Circuit.sequence(convolution(8, 4, 4), f), 2),
    Circuit.linear(256, 10)
  )

describe("a circuit of convolutions of one's own", () => {
  it("is counted, cut and started as any linear map is", () => {
    const circuit = circuitOf(Circuit.tanh)
    assert.strictEqual(Circuit.depth(circuit), 4)
    assert.deepStrictEqual(Effect.runSync(FreeRun.widths(circuit)), { inputs: 64, outputs: 10 })
    assert.deepStrictEqual([...Cut.sites(circuit, Cut.paper)], ["0", "2.0.0", "2.1.0"])
    const { data } = Initializer.orthogonal(circuit, 1)["2.*.0.weight"]!
    for (let i = 0; i < 4; i++)
      for (let j = 0; j < 4; j++) {
        // Orthonormal columns, 36 patches' numbers long.
        const dot = Array.from({ length: 36 }, (_, k) => data[k * 4 + i]! * data[k * 4 + j]!).reduce((a, b) => a + b)
        assert.approximately(dot, i === j ? 1 : 0, 1e-6)
      }
  })

  for (const [activation, name, asked] of [
    ["relu", "on all examples at once", {}],
    ["tanh", "on all examples at once", {}],
    ["sigmoid", "in batches", { batches: { batch: 32, epochs: 40 } }],
    ["tanh", "from PyTorch's start", { start: "pytorch" }]
  ] satisfies ReadonlyArray<readonly [Circuit.Activation, string, Plan.Asked]>) {
    it.effect(
      `learns digits by the automatic plan, ${name}, ${activation}`,
      () =>
        Effect.gen(function* () {
          const circuit = circuitOf(Circuit.activations[activation])
          // A fifth of them, so that it is quick.
          const { test, train } = yield* Dataset.split(yield* Digits.make(), { share: 0.8 })
          const trained = yield* Training.fit(circuit, train, { plan: Plan.auto(circuit, asked), seed: 3 })
          assert.isAbove((yield* Score.score(trained, test)).accuracy!, 0.8)
        }).pipe(Effect.provide(Layer.merge(TfjsEngine.layer, NodeServices.layer))),
      60_000
    )
  }
})
