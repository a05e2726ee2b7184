/**
 * A freshly trained model, served over the Open Inference Protocol and queried by a client over HTTP.
 */
import { runMain } from "@effect/platform-node/NodeRuntime"
import { InferenceClient, Tensor } from "@rai/client"
import { Circuit, Moons, Score, TfjsEngine, Training } from "@rai/core"
import { Onnx } from "@rai/export"
import { InferenceServer } from "@rai/serving"
import { Console, Effect } from "effect"
import { FetchHttpClient } from "effect/http"

const train = Effect.gen(function* () {
  const circuit = Circuit.perceptron([2, 16, 16, 1], { activation: "tanh" })
  const trained = yield* Training.fit(circuit, yield* Moons.paper, { seed: 0 })
  yield* Onnx.write(trained, "moons.onnx")
  return trained
})

/** Asks the server for the model's outputs for points [n, 2]. */
const ask = Effect.fn("ask")(function* (url: string, points: ArrayLike<number>) {
  const client = yield* InferenceClient.make({ url })
  const x = Tensor.make("FP32", [points.length / 2, 2], Float32Array.from(points))
  return yield* client.infer("moons", { x }, { outputs: { logit: "FP32", probability: "FP32" } })
})

const program = Effect.gen(function* () {
  const trained = yield* train
  const { inputs } = yield* Moons.make({ examples: 100, noise: 0.1, seed: 2024 })
  const expected = yield* Score.predict(trained, inputs)
  const server = InferenceServer.layer({ repository: "moons.onnx", port: 0, executionProviders: ["cpu"] })
  const { outputs } = yield* InferenceServer.InferenceServer.pipe(
    Effect.flatMap(({ url }) => ask(url, inputs.data)),
    Effect.provide(server) // it runs for as long as this effect does
  )
  const furthest = Math.max(...outputs.logit.data.map((value, i) => Math.abs(value - expected.data[i]!)))
  yield* Console.log(`${outputs.probability.data.length} answers, at most ${furthest} from the free run's`)
})

program.pipe(Effect.provide(TfjsEngine.layer), Effect.provide(FetchHttpClient.layer), runMain)
