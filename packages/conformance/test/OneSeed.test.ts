/** Engines from one seed: rounding may part them by no more than it must. Rules that take steps by sign alone (Rprop) part sooner, at kinks of their own. */
import { describe, expect, it } from "@effect/vitest"
import { Circuit, Moons, Plan, PlanSpec, TfjsEngine, Training } from "@rai/core"
import { OnnxEngine } from "@rai/onnx-engine"
import { Effect, Stream } from "effect"

const { batchNorm, linear, perceptron, relu, sequence } = Circuit

const circuits: Readonly<Record<string, Circuit.Circuit>> = {
  "101 layers of sigmoid": perceptron([2, ...Array<number>(100).fill(100), 1], { activation: "sigmoid" }),
  "tanh with ways around": perceptron([2, 20, 20, 20, 1], { activation: "tanh", residual: true }),
  "relu, the paper's second": perceptron([2, 42, 100, 100, 42, 1], { activation: "relu" }),
  "batch norms": sequence(linear(2, 16), batchNorm(16), relu, linear(16, 16), batchNorm(16), relu, linear(16, 1))
}

describe("libtensorflow and onnxruntime, 100 steps of Adam from one seed, differ in the relaxed loss by less than 1e-4 of it", () => {
  for (const [name, circuit] of Object.entries(circuits)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const plan = Plan.startingAt(yield* PlanSpec.parse("relax:100:adam=0.001"), "orthogonal")
        const data = yield* Moons.paper
        const losses = Effect.map(Stream.runCollect(Training.stream(circuit, data, { plan, seed: 0 })), (events) =>
          events.flatMap((event) => (event._tag === "Step" ? [event.measurement?.relaxedLoss ?? []] : [])).flat()
        )
        const tfjs = yield* Effect.provide(losses, TfjsEngine.layerNative)
        const onnx = yield* Effect.provide(losses, OnnxEngine.layer)
        expect(tfjs.length).toBe(11)
        expect(Math.max(...tfjs.map((loss, i) => Math.abs(loss / onnx[i]! - 1)))).toBeLessThan(1e-4)
      })
    )
  }
})
