import { assert, describe, it } from "@effect/vitest"
import { Circuit, Cut, Engine, Gradient, HiddenLoss, Loss, Program, ReferenceEngine, RelaxedObjective } from "@rai/core"
import { Effect } from "effect"
import * as Fixture from "../fixtures/Fixture.ts"

interface WithGradients {
  readonly value: number
  readonly gradients: ReadonlyArray<Fixture.Numbers>
}

/** Written by losses.py: PyTorch in float64. */
const fixture = Fixture.read<{
  readonly z: Fixture.Numbers
  readonly prediction: Fixture.Numbers
  readonly hidden: Readonly<Record<string, Readonly<Record<RelaxedObjective.Energy, WithGradients>>>>
}>("losses.json")

const [z, ẑ] = [Fixture.array(fixture.z), Fixture.array(fixture.prediction)]

/**
 * The relaxed objective of a circuit whose one hidden map is the identity, W = I and b = 0, so that its input is its prediction, and whose output
 * is 0 for a target of 0.
 */
const energy = Effect.fnUntraced(function* (hidden: HiddenLoss.HiddenLoss, energy: RelaxedObjective.Energy, λ: number) {
  const circuit = Circuit.sequence(
    Circuit.identity,
    Circuit.stage("none", (h) => h.mul(0))
  )
  const sites = Cut.sites(circuit, { after: ({ path }) => path === "0", every: 1, output: true })
  assert.deepStrictEqual([...sites], ["0"])
  const program = yield* Program.make({ z: z.shape, x: ẑ.shape, y: ẑ.shape }, ({ x, y, z }) => ({
    loss: RelaxedObjective.make(
      circuit,
      { sites, hidden, energy, λ },
      Loss.meanSquaredError,
      () => x,
      () => z,
      x,
      y
    ).loss
  }))
  const zero = { ...ẑ, data: ẑ.data.map(() => 0) }
  return yield* Engine.run(yield* Gradient.make({ of: "loss", inputs: ["z", "x"] })(program), { z, x: ẑ, y: zero })
})

describe("hidden losses are PyTorch's, with both gradients, within 1e-12", () => {
  it("each is recorded", () => {
    assert.sameMembers(Object.keys(fixture.hidden), Object.keys(HiddenLoss.table))
  })

  for (const [name, reductions] of Object.entries(fixture.hidden)) {
    for (const of of ["mean", "sum"] as const) {
      it.effect(`${name}, a ${of} over the cut, in the relaxed objective`, () =>
        Effect.gen(function* () {
          const { gradients, value } = reductions[of]
          const came = yield* energy(HiddenLoss.table[name]!, of, 1)
          Fixture.near(came.loss!, value, 1e-12, "the loss")
          Fixture.near(came["gradient/z"]!, gradients[0]!, 1e-12, "∂/∂z")
          Fixture.near(came["gradient/x"]!, gradients[1]!, 1e-12, "∂/∂ẑ")
          const half = yield* energy(HiddenLoss.table[name]!, of, 0.5)
          Fixture.near(half.loss!, value / 2, 1e-12, "half the loss")
        }).pipe(Effect.provide(ReferenceEngine.layer))
      )
    }
  }
})
