/**
 * The inference server: every model of a repository behind the Open Inference Protocol.
 */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Context, type Duration, Effect, Layer, Schema } from "effect"
import * as HttpRouter from "effect/http/HttpRouter"
import { formatAddress, HttpServer } from "effect/http/HttpServer"
import { DataPlane } from "./DataPlane.ts"
import * as Routes from "./http/Routes.ts"
import { ModelRepository, type RepositoryInvalid, type SettingsInvalid } from "./repository/ModelRepository.ts"
import type { ExecutionProvider } from "./worker/Message.ts"
import type { ModelLoadFailed } from "./worker/ModelWorker.ts"

/** The server could not listen. */
export class AddressUnavailable extends Schema.TaggedError<AddressUnavailable>()("AddressUnavailable", {
  host: Schema.String,
  port: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    return `expected to listen on ${this.host}:${this.port}, but ${this.reason}; give another host or port (0 takes a free one)`
  }
}

/** What to serve and where; port 0 takes a free one. */
export interface Options {
  /** One .onnx file, a folder of them, or Triton's layout. */
  readonly repository: string
  readonly host?: string | undefined
  readonly port?: number | undefined
  /** Tried in this order for each model. */
  readonly executionProviders?: ReadonlyArray<ExecutionProvider> | undefined
  /** How often to look for changed, new and removed models; never where it is not given. */
  readonly poll?: Duration.Input | undefined
  readonly maxBodyBytes?: number | undefined
}

const why = (cause: unknown): string => {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "no reason given"
  return code === "EADDRINUSE" ? "another program has that port" : code === "EACCES" ? "that port is not allowed" : code
}

/** A running server: `url` is its address, `http://127.0.0.1:8080`. */
export class InferenceServer extends Context.Service<InferenceServer, { readonly url: string }>()(
  "@rai/serving/InferenceServer"
) {}

/** Serves a repository on 127.0.0.1:8080 until its scope closes: first the server stops listening, then the models' threads end. */
export const layer = ({
  repository,
  host = "127.0.0.1",
  port = 8080,
  executionProviders = ["cuda", "cpu"],
  poll,
  maxBodyBytes = 64 * 1024 * 1024
}: Options): Layer.Layer<
  InferenceServer,
  RepositoryInvalid | SettingsInvalid | ModelLoadFailed | AddressUnavailable
> => {
  const plane = DataPlane.layer({ providers: executionProviders, poll }).pipe(
    Layer.provide(ModelRepository.layer(repository))
  )
  const server = NodeHttpServer.layerServer(createServer, { host, port, gracefulShutdownTimeout: "5 seconds" }).pipe(
    Layer.catch(({ cause }) => Layer.effect(HttpServer, new AddressUnavailable({ host, port, reason: why(cause) })))
  )
  const routes = HttpRouter.serve(Routes.layer(maxBodyBytes), { disableLogger: true, disableListenLog: true })
  const running = Layer.effect(
    InferenceServer,
    Effect.gen(function* () {
      const { address } = yield* HttpServer
      const url = formatAddress(address)
      const index = yield* DataPlane.use((plane) => plane.index)
      const ready = index.filter(({ state }) => state === "READY")
      const list = ready.map(({ name, provider }) => `${name} (${provider})`).join(", ")
      yield* Effect.logInfo(`serving ${ready.length} ${ready.length === 1 ? "model" : "models"} at ${url}: ${list}`)
      return InferenceServer.of({ url })
    })
  )
  // The server listens once the models are open, and is closed before they are.
  return running.pipe(
    Layer.provide(routes),
    Layer.provide(server),
    Layer.provide(plane),
    Layer.provide(NodeServices.layer)
  )
}
