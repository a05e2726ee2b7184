/**
 * The inference server: every model of a repository behind the Open Inference Protocol.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Context, type Duration, Effect, Layer, Option } from "effect"
import type { AddressUnavailable } from "./AddressUnavailable.ts"
import { DataPlane } from "./DataPlane.ts"
import { GrpcTransport } from "./grpc/GrpcTransport.ts"
import * as HttpTransport from "./http/HttpTransport.ts"
import { ModelRepository, type RepositoryInvalid, type SettingsInvalid } from "./repository/ModelRepository.ts"
import type { TlsInvalid } from "./Tls.ts"
import type { ExecutionProvider } from "./worker/Message.ts"
import type { ModelLoadFailed } from "./worker/ModelWorker.ts"

/** What to serve, where, and to whom. */
export interface Options extends HttpTransport.Options {
  /** One .onnx file, a folder of them, or Triton's layout. */
  readonly repository: string
  /** Serves gRPC there too, 0 taking a free port; not where it is not given. */
  readonly grpcPort?: number | undefined
  /** Tried in this order for each model. */
  readonly executionProviders?: ReadonlyArray<ExecutionProvider> | undefined
  /** How often to look for changed, new and removed models; never where it is not given. */
  readonly poll?: Duration.Input | undefined
}

/** A running server: `url` is its address, `http://127.0.0.1:8080`, and `grpc` that of its other port, `127.0.0.1:8081`, where it has one. */
export class InferenceServer extends Context.Service<
  InferenceServer,
  { readonly url: string; readonly grpc: string | undefined }
>()("@rai/serving/InferenceServer") {}

/** Serves a repository on 127.0.0.1:8080 until its scope closes: first the server stops listening, then the models' threads end. */
export const layer = ({
  repository,
  grpcPort,
  executionProviders = ["cuda", "cpu"],
  poll,
  ...http
}: Options): Layer.Layer<
  InferenceServer,
  RepositoryInvalid | SettingsInvalid | ModelLoadFailed | TlsInvalid | AddressUnavailable
> => {
  const plane = DataPlane.layer({ providers: executionProviders, poll }).pipe(
    Layer.provide(ModelRepository.layer(repository))
  )
  const { access, host, limits, tls } = http
  const grpc =
    grpcPort === undefined
      ? Layer.empty
      : GrpcTransport.layer({ host, port: grpcPort, access, tls, maxBodyBytes: limits?.bodyBytes })
  const running = Layer.effect(
    InferenceServer,
    Effect.gen(function* () {
      const { url } = yield* HttpTransport.HttpTransport
      const index = yield* DataPlane.use((plane) => plane.index)
      const ready = index.filter(({ state }) => state === "READY")
      const list = ready.map(({ name, provider }) => `${name} (${provider})`).join(", ")
      const transport = yield* Effect.serviceOption(GrpcTransport)
      const grpc = Option.getOrUndefined(transport)?.address
      const places = grpc === undefined ? url : `${url} and, for gRPC, ${grpc}`
      yield* Effect.logInfo(`serving ${ready.length} ${ready.length === 1 ? "model" : "models"} at ${places}: ${list}`)
      return InferenceServer.of({ url, grpc })
    })
  )
  // The server listens once the models are open, and is closed before they are.
  return running.pipe(
    Layer.provide(HttpTransport.HttpTransport.layer(http)),
    Layer.provide(grpc),
    Layer.provide(plane),
    Layer.provide(NodeServices.layer)
  )
}
