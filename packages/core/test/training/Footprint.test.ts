import { assert, describe, it } from "@effect/vitest"
import { Circuit, Cost, Footprint, Phase, Program, Tensor } from "@rai/core"
import { Effect } from "effect"

describe("what a program holds", () => {
  const x = Tensor.input("x", [10, 5])
  const bytes = (...numbers: ReadonlyArray<number>) => 4 * numbers.reduce((a, b) => a + b)

  it("is every result from its operation to its last use", () => {
    const chain = Program.fromTensors({ x }, { y: x.tanh().sigmoid().exp().sum([1]) })
    assert.strictEqual(Cost.held(chain), bytes(50, 50))
    const wide = x.tanh()
    const later = Program.fromTensors({ x }, { y: wide.sum([1]).exp().broadcastTo([10, 5]).mul(wide) })
    assert.strictEqual(Cost.held(later), bytes(50, 10, 50))
  })

  it("counts outputs to the end, inputs and views never", () => {
    const both = Program.fromTensors({ x }, { first: x.tanh(), last: x.exp().total() })
    assert.strictEqual(Cost.held(both), bytes(50, 50, 1))
    assert.strictEqual(Cost.held(Program.fromTensors({ x }, { y: x.reshape([50]) })), 0)
  })
})

describe("a phase's footprint", () => {
  const of = (circuit: Circuit.Circuit, examples: number, phase: Phase.Phase) => {
    const { inputs, outputs } = { inputs: Circuit.inputs(circuit), outputs: 1 }
    return Effect.runSync(
      Footprint.of({ circuit, task: "binary", x: [examples, inputs], y: [examples, outputs] }, phase)
    )
  }

  it("holds every activation of all examples where it backpropagates", () => {
    const circuit = Circuit.perceptron([2, ...Array<number>(10).fill(500), 1])
    const { memory } = of(circuit, 20_000, Phase.backpropagate({ steps: 1 }))
    assert.isAbove(memory, 20_000 * 10 * 500 * 4)
    assert.isBelow(of(circuit, 20_000, Phase.backpropagate({ epochs: 1, batch: 100 })).memory, memory / 1.5)
  })

  it("moves twice as much at twice the depth", () => {
    for (const phase of [Phase.backpropagate({ steps: 1 }), Phase.relax({ steps: 1 })]) {
      const [once, twice] = [100, 200].map(
        (depth) => of(Circuit.perceptron([2, ...Array<number>(depth).fill(20), 1]), 10, phase).bytes
      )
      assert.isBelow(twice! / once!, 2.1)
    }
  })

  it("counts as parameters what is trained", () => {
    const circuit = Circuit.sequence(Circuit.linear(2, 4), Circuit.batchNorm(4), Circuit.tanh, Circuit.linear(4, 1))
    const { parameters, remembered } = of(circuit, 10, Phase.backpropagate({ steps: 1 }))
    assert.strictEqual(parameters, 2 * 4 + 4 + 2 * 4 + 4 + 1)
    assert.strictEqual(remembered, 2 * parameters)
  })
})
