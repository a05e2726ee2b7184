import { describe, expect, it } from "@effect/vitest"
import { Circuit, Loss, Primitives, Tensor } from "@rai/core"
import { Effect } from "effect"
import { Case, Cases, Differences, Numbers } from "../src/index.ts"
import * as CircuitCases from "./CircuitCases.ts"
import * as RelaxedCases from "./RelaxedCases.ts"

const smooth = Cases.all.filter((of) => of.smooth)

const logits = Numbers.array([4, 3], 1)
const losses = [
  Case.make(
    "binary cross-entropy",
    { o: Numbers.array([5, 1], 2), y: Numbers.array([5, 1], 3, { domain: [0, 1] }) },
    ({ o, y }) => ({ loss: Loss.binaryCrossEntropy(o, y) })
  ),
  Case.make(
    "softmax cross-entropy",
    { o: logits, y: Numbers.array([4, 3], 4, { domain: [0, 1], turn: 2 }) },
    ({ o, y }) => ({ loss: Loss.softmaxCrossEntropy(o, y) })
  ),
  Case.make("mean squared error", { o: logits, y: Numbers.array([4, 3], 5, { turn: 2 }) }, ({ o, y }) => ({
    loss: Loss.meanSquaredError(o, y)
  }))
]

const blocks = [
  CircuitCases.block("linear", Circuit.linear(3, 2), 3),
  CircuitCases.block("linear of one example", Circuit.linear(4, 1), 4, 1),
  ...Object.entries(Circuit.activations).map(([name, block]) => CircuitCases.block(name, block, 3)),
  CircuitCases.block(
    "a stage of one's own",
    Circuit.stage("swish", (z) => z.mul(z.sigmoid())),
    3
  ),
  CircuitCases.block("sequence", Circuit.sequence(Circuit.linear(2, 3), Circuit.tanh, Circuit.linear(3, 2)), 2),
  CircuitCases.block("repeat", Circuit.repeat(Circuit.sequence(Circuit.sigmoid, Circuit.linear(3, 3)), 4), 3),
  CircuitCases.block("repeat once", Circuit.repeat(Circuit.linear(3, 3), 1), 3),
  CircuitCases.block(
    "repeat in a repeat",
    Circuit.repeat(
      Circuit.sequence(Circuit.repeat(Circuit.sequence(Circuit.tanh, Circuit.linear(2, 2)), 2), Circuit.sigmoid),
      3
    ),
    2
  ),
  CircuitCases.block("residual", Circuit.residual(Circuit.sequence(Circuit.tanh, Circuit.linear(3, 3))), 3),
  CircuitCases.block("residual of nothing", Circuit.residual(Circuit.sequence()), 3),
  CircuitCases.block("residual in a residual", Circuit.residual(Circuit.residual(Circuit.linear(3, 3))), 3),
  CircuitCases.block(
    "residual of a repeat",
    Circuit.residual(Circuit.repeat(Circuit.sequence(Circuit.gelu, Circuit.linear(3, 3)), 3)),
    3
  ),
  CircuitCases.block(
    "residual perceptron",
    Circuit.perceptron([2, 3, 3, 3, 4, 4, 1], { activation: "selu", residual: true }),
    2
  ),
  CircuitCases.block("perceptron with repeats", Circuit.perceptron([2, 3, 3, 3, 3, 1], { activation: "tanh" }), 2)
]

// A smaller step keeps ReLU's kink out of reach of these numbers.
const stepOf = (of: Case.Case) => (of.name.includes("relu") ? 1e-4 : 1e-3)

const gradient = (of: Case.Case) =>
  Effect.gen(function* () {
    const errors = yield* Differences.errors(of, { step: stepOf(of) })
    expect(errors.length).toBeGreaterThan(0)
    for (const { error, input } of errors) expect(error, `the gradient of ${input}`).toBeLessThanOrEqual(1e-6)
  })

describe("every primitive and block: gradient equals central differences", () => {
  it("covers every primitive of the table", () => {
    const shown = new Set(smooth.flatMap((of) => [...Case.primitives(of)]))
    expect([...Primitives.table.keys()].filter((name) => !shown.has(name))).toEqual([])
  })

  for (const of of [...smooth, ...losses, ...blocks, ...RelaxedCases.all]) it.effect(of.name, () => gradient(of))

  it.effect("reaches through 5,000 stages", () =>
    Effect.gen(function* () {
      const deep = Case.make("deep", { x: Numbers.array([], 1) }, ({ x }) => ({
        y: Array.from({ length: 5000 }).reduce<Tensor.Tensor>((h) => h.mul(0.999).add(0.001), x)
      }))
      const [found] = yield* Differences.errors(deep)
      expect(found!.error).toBeLessThanOrEqual(1e-6)
    })
  )

  it.effect("shows a wrong derivative", () =>
    Effect.gen(function* () {
      const wrong = {
        ...Primitives.table.get("square")!,
        derivative: (g: Tensor.Tensor, y: Tensor.Tensor) => [g.mul(y)]
      }
      const of = Case.make("wrong", { x: Numbers.array([3], 1) }, ({ x }) => ({ y: new Tensor.Tensor(wrong, [x]) }))
      const [found] = yield* Differences.errors(of)
      expect(found!.error).toBeGreaterThan(0.1)
    })
  )
})
