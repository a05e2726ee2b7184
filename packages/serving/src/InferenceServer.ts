/**
 * The inference server: every model of a repository behind the Open Inference Protocol.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Context, type Duration, Effect, Layer } from "effect"
import { DataPlane } from "./DataPlane.ts"
import * as HttpTransport from "./http/HttpTransport.ts"
import { ModelRepository, type RepositoryInvalid, type SettingsInvalid } from "./repository/ModelRepository.ts"
import type { ExecutionProvider } from "./worker/Message.ts"
import type { ModelLoadFailed } from "./worker/ModelWorker.ts"

/** What to serve, where, and to whom. */
export interface Options extends HttpTransport.Options {
  /** One .onnx file, a folder of them, or Triton's layout. */
  readonly repository: string
  /** Tried in this order for each model. */
  readonly executionProviders?: ReadonlyArray<ExecutionProvider> | undefined
  /** How often to look for changed, new and removed models; never where it is not given. */
  readonly poll?: Duration.Input | undefined
}

/** A running server: `url` is its address, `http://127.0.0.1:8080`. */
export class InferenceServer extends Context.Service<InferenceServer, { readonly url: string }>()(
  "@rai/serving/InferenceServer"
) {}

/** Serves a repository on 127.0.0.1:8080 until its scope closes: first the server stops listening, then the models' threads end. */
export const layer = ({
  repository,
  executionProviders = ["cuda", "cpu"],
  poll,
  ...http
}: Options): Layer.Layer<
  InferenceServer,
  RepositoryInvalid | SettingsInvalid | ModelLoadFailed | HttpTransport.TlsInvalid | HttpTransport.AddressUnavailable
> => {
  const plane = DataPlane.layer({ providers: executionProviders, poll }).pipe(
    Layer.provide(ModelRepository.layer(repository))
  )
  const running = Layer.effect(
    InferenceServer,
    Effect.gen(function* () {
      const { url } = yield* HttpTransport.HttpTransport
      const index = yield* DataPlane.use((plane) => plane.index)
      const ready = index.filter(({ state }) => state === "READY")
      const list = ready.map(({ name, provider }) => `${name} (${provider})`).join(", ")
      yield* Effect.logInfo(`serving ${ready.length} ${ready.length === 1 ? "model" : "models"} at ${url}: ${list}`)
      return InferenceServer.of({ url })
    })
  )
  // The server listens once the models are open, and is closed before they are.
  return running.pipe(
    Layer.provide(HttpTransport.HttpTransport.layer(http)),
    Layer.provide(plane),
    Layer.provide(NodeServices.layer)
  )
}
