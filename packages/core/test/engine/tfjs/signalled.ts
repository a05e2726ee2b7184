/**
 * Trains a small circuit on TensorFlow's library in a process that handles SIGUSR2; says when it begins, and when it is done with a moment left for
 * signals that are on their way.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Circuit, Moons, Plan, TfjsEngine, Training } from "@rai/core"
import { Console, Effect } from "effect"

process.on("SIGUSR2", () => {})

const trained = Effect.gen(function* () {
  const data = yield* Moons.make({ examples: 100, seed: 1 })
  const circuit = Circuit.perceptron([2, 3, 1], { activation: "sigmoid" })
  yield* Console.log("begun")
  yield* Training.fit(circuit, data, { plan: Plan.relax({ steps: 4000, interval: 4000 }), seed: 1 })
  yield* Console.log("done")
  yield* Effect.sleep("500 millis")
})

NodeRuntime.runMain(trained.pipe(Effect.provide(TfjsEngine.layerNative)))
