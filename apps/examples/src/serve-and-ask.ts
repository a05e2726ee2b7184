/**
 * A model that was just trained, served under the Open Inference Protocol, and asked by a client that knows HTTP alone.
 */
import { runMain } from "@effect/platform-node/NodeRuntime"
import { Circuit, Moons, Score, TfjsEngine, Training } from "@rai/core"
import { Onnx } from "@rai/export"
import { InferenceServer } from "@rai/serving"
import { Console, Effect, Schema } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"

const train = Effect.gen(function* () {
  const circuit = Circuit.perceptron([2, 16, 16, 1], { activation: "tanh" })
  const trained = yield* Training.fit(circuit, yield* Moons.paper, { seed: 0 })
  yield* Onnx.write(trained, "moons.onnx")
  return trained
})

const Answer = Schema.Struct({
  outputs: Schema.Array(Schema.Struct({ name: Schema.String, data: Schema.Array(Schema.Finite) }))
})

/** The model's outputs for points [n, 2]. */
const ask = Effect.fn("ask")(function* (url: string, points: ReadonlyArray<number>) {
  const x = { name: "x", datatype: "FP32", shape: [points.length / 2, 2], data: points }
  const request = HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(`${url}/v2/models/moons/infer`), {
    inputs: [x]
  })
  const { outputs } = yield* HttpClient.execute(request).pipe(Effect.flatMap(HttpClientResponse.schemaBodyJson(Answer)))
  return Object.fromEntries(outputs.map(({ data, name }) => [name, data]))
})

const program = Effect.gen(function* () {
  const trained = yield* train
  const { inputs } = yield* Moons.make({ examples: 100, noise: 0.1, seed: 2024 })
  const expected = yield* Score.predict(trained, inputs)
  const server = InferenceServer.layer({ repository: "moons.onnx", port: 0, executionProviders: ["cpu"] })
  const { logit, probability } = yield* InferenceServer.InferenceServer.pipe(
    Effect.flatMap(({ url }) => ask(url, Array.from(inputs.data))),
    Effect.provide(server) // it serves as long as it is asked
  )
  const furthest = Math.max(...logit!.map((value, i) => Math.abs(value - expected.data[i]!)))
  yield* Console.log(`${probability!.length} answers, at most ${furthest} from the free run's`)
})

program.pipe(Effect.provide(TfjsEngine.layer), Effect.provide(FetchHttpClient.layer), runMain)
