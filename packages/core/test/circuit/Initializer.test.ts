import { assert, describe, it } from "@effect/vitest"
import { Circuit, Coordinates, Initializer } from "@rai/core"

const deep = (activation: Circuit.Activation) => Circuit.perceptron([2, 8, 8, 8, 8, 1], { activation })

/** The largest |WᵀW − I|, over the turns of a stacked square weight. */
const distanceFromOrthogonal = (data: ArrayLike<number>, n: number, turns: number): number => {
  let worst = 0
  for (let t = 0; t < turns; t++) {
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let dot = 0
        for (let k = 0; k < n; k++) dot += data[t * n * n + k * n + i]! * data[t * n * n + k * n + j]!
        worst = Math.max(worst, Math.abs(dot - (i === j ? 1 : 0)))
      }
    }
  }
  return worst
}

describe("initialisers", () => {
  it("give the same arrays for the same seed and others for another", () => {
    for (const initializer of Object.values(Initializer.table)) {
      assert.deepStrictEqual(initializer(deep("tanh"), 5), initializer(deep("tanh"), 5))
      assert.notDeepEqual(initializer(deep("tanh"), 5), initializer(deep("tanh"), 6))
    }
  })

  it("pytorch: uniform within ±1/√fan_in, and filling that range", () => {
    const circuit = Circuit.perceptron([4, 100, 1])
    for (const [name, { data }] of Object.entries(Initializer.pytorch(circuit, 0))) {
      const bound = 1 / Math.sqrt(Circuit.parameters(circuit)[name]!.fanIn)
      const largest = Math.max(...Array.from(data, Math.abs))
      assert.isAtMost(largest, bound)
      if (data.length > 50) assert.isAtLeast(largest, 0.95 * bound)
    }
  })

  it("he and glorot: zero biases, the variance that they are named for", () => {
    const circuit = Circuit.linear(200, 300)
    for (const [name, variance] of [
      ["he", 2 / 200],
      ["glorot", 2 / 500]
    ] as const) {
      const { bias, weight } = Initializer.table[name](circuit, 1)
      assert.isTrue(bias!.data.every((b) => b === 0))
      const mean = Array.from(weight!.data, (w) => w * w).reduce((a, b) => a + b) / weight!.data.length
      assert.approximately(mean / variance, 1, 0.02)
    }
  })

  it("orthogonal: hidden maps of tanh circuits are orthogonal with bias 0", () => {
    const parameters = Initializer.orthogonal(deep("tanh"), 2)
    assert.isBelow(distanceFromOrthogonal(parameters["1.*.1.weight"]!.data, 8, 3), 1e-6)
    assert.isTrue(parameters["1.*.1.bias"]!.data.every((b) => b === 0))
  })

  it("orthogonal: sigmoid circuits get it in tanh coordinates", () => {
    const circuit = deep("sigmoid")
    const inTanh = Coordinates.toTanh(circuit, Initializer.orthogonal(circuit, 2))
    assert.isBelow(distanceFromOrthogonal(inTanh["1.*.1.weight"]!.data, 8, 3), 1e-5)
    assert.isTrue(inTanh["1.*.1.bias"]!.data.every((b) => Math.abs(b) < 1e-6))
  })

  it("orthogonal: relu circuits are mirrored, [[Q, −Q], [−Q, Q]] behind [w, −w]", () => {
    const parameters = Initializer.orthogonal(deep("relu"), 2)
    const [first, hidden] = [parameters["0.weight"]!.data, parameters["1.*.1.weight"]!.data]
    for (let row = 0; row < 2; row++) {
      for (let j = 0; j < 4; j++) assert.strictEqual(first[row * 8 + 4 + j], -first[row * 8 + j]!)
    }
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++) {
        const q = hidden[i * 8 + j]!
        assert.deepStrictEqual(
          [hidden[i * 8 + 4 + j], hidden[(i + 4) * 8 + j], hidden[(i + 4) * 8 + 4 + j]],
          [-q, -q, q]
        )
      }
    }
  })
})
