import { assert, describe, it } from "@effect/vitest"
import { Circuit, Plan, PlanSpec } from "@rai/core"
import { Effect } from "effect"

describe("plans as text", () => {
  it.effect("there and back", () =>
    Effect.gen(function* () {
      for (const text of [
        "relax:250:rprop=0.1,backpropagate:400:rprop=0.001",
        "relax:60:adam=0.01:every=10:after=activation:lambda=0.5:energy=sum:refresh=50:output",
        "relax:9:rprop=0.01:clip=1:l2=0.0001:patience=40:ramp=exponential100:hidden=huber:z-adam=0.1+decay=0.5:penalty=0.1:noise=0.2:multipliers=0.5:sweep",
        "relax:3:sgd=0.1+momentum=0.5+nesterov=1:batch=16:curve=warmup0.1*cosine:after=residual",
        "alternate:40:muon=0.05+momentum=0.9+nesterov=0:batch=64:curve=constant:uncentred",
        "backpropagate:30:adamw=0.001:batch=64:interval=2:only=output",
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
        /^expected a phase named relax, alternate or backpropagate in the plan, but «dream:10» came/
      )
      assert.match(yield* message("relax"), /number of steps/)
      assert.match(yield* message("relax:0"), /number of steps/)
      assert.match(yield* message("relax:ten"), /number of steps/)
      assert.match(yield* message("relax:10:rprop=-1"), /a rate above 0/)
      assert.match(yield* message("relax:10:rprop=x"), /a rate above 0/)
      assert.match(yield* message("relax:10:newton=1"), /rprop, adam, adamw, sgd, rmsprop, muon/)
      assert.match(yield* message("relax:10:constructor=1"), /rprop, adam, adamw, sgd, rmsprop, muon/)
      assert.match(yield* message("relax:10:rprop=0.1=5"), /a rate above 0/)
      assert.match(yield* message("relax:10:every=2.5"), /every=10/)
      assert.match(yield* message("backpropagate:10:every=2"), /an optimiser/)
    })
  )

  it("the automatic plan cuts deep circuits every tenth map and shallow ones more often", () => {
    const auto = (depth: number) =>
      Plan.print(Plan.auto(Circuit.perceptron([2, ...Array<number>(depth - 1).fill(10), 1], { activation: "tanh" })))
    assert.match(
      auto(101),
      /^relax:120:rprop=0.00099\d*:patience=40:every=10,backpropagate:1000:adam=0.00019\d*:patience=100$/
    )
    assert.match(auto(20), /every=2,/)
    assert.match(auto(5), /^relax:120:rprop=0.001:patience=40,backpropagate:1000:adam=0.004:patience=100$/)
    assert.match(auto(1), /^backpropagate:1000:adam=0.01:patience=100$/)
  })
})
