/**
 * A circuit in the browser: trains on moons, exports the model, and serves a page on which onnxruntime-web runs it on WebAssembly, beside the answers
 * of the free run: `node browser.ts [PORT]`.
 */
import { createServer } from "node:http"
import { fileURLToPath } from "node:url"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { runMain } from "@effect/platform-node/NodeRuntime"
import { Circuit, Moons, TfjsEngine, Training } from "@rai/core"
import { Onnx } from "@rai/export"
import { Console, Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse, HttpStaticServer } from "effect/http"

const port = Number(process.argv[2] ?? 8000)

const files = (url: string) => fileURLToPath(new URL(url, import.meta.url))
const runtime = fileURLToPath(new URL(".", import.meta.resolve("onnxruntime-web/wasm")))

const train = Effect.gen(function* () {
  const data = yield* Moons.make({ examples: 100, noise: 0.1, seed: 42 })
  const circuit = Circuit.perceptron([2, 16, 16, 1], { activation: "tanh" })
  const trained = yield* Training.fit(circuit, data, { seed: 0 })
  yield* Onnx.write(trained, "moons.onnx", { samples: data.inputs }) // and moons.parity.json, with points and the free run's answers
}).pipe(Effect.provide(TfjsEngine.layer))

const pages = Layer.mergeAll(
  HttpRouter.add("GET", "/", HttpServerResponse.file(files("browser.html"))),
  HttpRouter.add("GET", "/moons.onnx", HttpServerResponse.file("moons.onnx")),
  HttpRouter.add("GET", "/moons.parity.json", HttpServerResponse.file("moons.parity.json")),
  HttpStaticServer.layer({ root: runtime, prefix: "/onnxruntime" })
)

const server = HttpRouter.serve(pages, { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provide(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port })),
  Layer.tap(() => Console.log(`open http://127.0.0.1:${port} in a browser; Ctrl+C ends it`))
)

train.pipe(Effect.andThen(Layer.launch(server)), runMain)
