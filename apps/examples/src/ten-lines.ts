/** The minimum: data, a circuit, training by the automatic plan, the score on unseen points. */
import { runMain } from "@effect/platform-node/NodeRuntime"
import { Circuit, Moons, Score, TfjsEngine, Training } from "@rai/core"
import { Console, Effect } from "effect"

const program = Effect.gen(function* () {
  const circuit = Circuit.perceptron([2, 16, 16, 1], { activation: "sigmoid" })
  const trained = yield* Training.fit(circuit, yield* Moons.paper)
  const { accuracy } = yield* Score.score(trained, yield* Moons.make({ examples: 1000, noise: 0.1, seed: 2024 }))
  yield* Console.log(`accuracy ${accuracy} on 1000 points never seen`)
}).pipe(Effect.provide(TfjsEngine.layer))

runMain(program)
