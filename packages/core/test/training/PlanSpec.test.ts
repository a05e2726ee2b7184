import { assert, describe, it } from "@effect/vitest"
import { Circuit, Plan, PlanSpec } from "@rai/core"
import { Effect } from "effect"

describe("plans as text", () => {
  it.effect("there and back", () =>
    Effect.gen(function* () {
      for (const text of [
        "relax:250:rprop=0.1,backpropagate:400:rprop=0.001",
        "relax:60:adam=0.01:every=10:lambda=0.5:after=activation:energy=sum:refresh=50:output",
        "backpropagate:1:sgd=0.5"
      ]) {
        assert.strictEqual(Plan.print(yield* PlanSpec.parse(text)), text)
      }
    })
  )

  it.effect("what cannot be read is named, with what there is", () =>
    Effect.gen(function* () {
      const message = (text: string) => Effect.map(Effect.flip(PlanSpec.parse(text)), (error) => error.message)
      assert.match(
        yield* message("dream:10"),
        /^expected a phase named relax or backpropagate in the plan, but «dream:10» came/
      )
      assert.match(yield* message("relax"), /number of steps/)
      assert.match(yield* message("relax:0"), /number of steps/)
      assert.match(yield* message("relax:ten"), /number of steps/)
      assert.match(yield* message("relax:10:rprop=-1"), /a rate above 0/)
      assert.match(yield* message("relax:10:rprop=x"), /a rate above 0/)
      assert.match(yield* message("relax:10:newton=1"), /rprop, adam, sgd/)
      assert.match(yield* message("relax:10:constructor=1"), /rprop, adam, sgd/)
      assert.match(yield* message("relax:10:rprop=0.1=5"), /a rate above 0/)
      assert.match(yield* message("relax:10:every=2.5"), /every=10/)
      assert.match(yield* message("backpropagate:10:every=2"), /an optimiser/)
    })
  )

  it("the automatic plan cuts deep circuits every tenth map and shallow ones more often", () => {
    const auto = (depth: number) =>
      Plan.print(Plan.auto(Circuit.perceptron([2, ...Array<number>(depth - 1).fill(10), 1], { activation: "tanh" })))
    assert.match(auto(101), /^relax:60:rprop=0.001:every=10,backpropagate:120:rprop=0.000099/)
    assert.match(auto(20), /every=2,/)
    assert.match(auto(5), /^relax:60:rprop=0.001,backpropagate:120:rprop=0.002$/)
    assert.match(auto(1), /^backpropagate:120:rprop=0.01$/)
  })
})
