import { assert, it } from "@effect/vitest"
import { Circuit, Moons, Plan, TfjsEngine, Training } from "@rai/core"
import { Deferred, Effect } from "effect"

it.live("an engine that is opened while another computes leaves it its backend: both end as they do alone", () =>
  Effect.gen(function* () {
    const data = yield* Moons.make({ examples: 20, seed: 1 })
    const circuit = Circuit.perceptron([2, 8, 8, 1], { activation: "tanh" })
    const plan = Plan.relax({ steps: 300, interval: 50 })
    const begun = yield* Deferred.make<void>()
    const onEvent = () => Effect.asVoid(Deferred.succeed(begun, undefined))
    const first = Training.fit(circuit, data, { plan, seed: 1, onEvent })
    const second = Effect.andThen(
      Deferred.await(begun),
      Effect.provide(Training.fit(circuit, data, { plan, seed: 1 }), TfjsEngine.layerWasm)
    )
    const together = yield* Effect.all([Effect.provide(first, TfjsEngine.layer), second], { concurrency: 2 })
    const alone = [
      yield* Effect.provide(Training.fit(circuit, data, { plan, seed: 1 }), TfjsEngine.layer),
      yield* Effect.provide(Training.fit(circuit, data, { plan, seed: 1 }), TfjsEngine.layerWasm)
    ]
    assert.deepStrictEqual(together, alone)
  })
)
