import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import {
  Circuit,
  Cut,
  Dataset,
  Digits,
  FreeRun,
  Initializer,
  Plan,
  PlanSpec,
  Score,
  TfjsEngine,
  Training
} from "@rai/core"
import { Effect, Layer } from "effect"
import { convolution } from "./Convolution.ts"

const circuitOf = (f: Circuit.Circuit) =>
  Circuit.sequence(
    convolution(8, 1, 4),
    f,
    Circuit.repeat(Circuit.sequence(convolution(8, 4, 4), f), 2),
    Circuit.linear(256, 10)
  )

it.effect.each([0, 1, 2])(
  "a LeNet of digits reaches 98 % unrelaxed, and relaxed within a point of it, seed %i",
  (seed) =>
    Effect.gen(function* () {
      const { batchNorm, conv2d, flatten, linear, maxPool2d, relu, sequence, unflatten } = Circuit
      const circuit = sequence(
        unflatten({ channels: 1, height: 8, width: 8 }),
        conv2d({ channels: 1, filters: 16, kernel: 3, padding: 1, bias: false }),
        batchNorm(16),
        relu,
        maxPool2d({ kernel: 2 }),
        conv2d({ channels: 16, filters: 32, kernel: 3, padding: 1, bias: false }),
        batchNorm(32),
        relu,
        maxPool2d({ kernel: 2 }),
        flatten,
        linear(128, 64),
        relu,
        linear(64, 10)
      )
      const { test, train } = yield* Dataset.split(yield* Digits.make(), { share: 0.2 })
      const accuracy = Effect.fnUntraced(function* (text: string) {
        const plan = yield* PlanSpec.parse(text)
        return (yield* Score.score(yield* Training.fit(circuit, train, { plan, seed }), test)).accuracy!
      })
      const unrelaxed = yield* accuracy("backpropagate:20:batch=32:adam=0.003:curve=cosine")
      assert.isAtLeast(unrelaxed, 0.98)
      assert.isAtLeast(yield* accuracy("alternate:20:batch=32"), unrelaxed - 0.01)
    }).pipe(Effect.provide(Layer.merge(TfjsEngine.layer, NodeServices.layer))),
  180_000
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
