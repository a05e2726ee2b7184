/**
 * The inference server: every model of a repository behind the Open Inference Protocol.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Context, Duration, Effect, Layer, Option } from "effect"
import { AddressUnavailable } from "./AddressUnavailable.ts"
import { DataPlane } from "./DataPlane.ts"
import { GrpcTransport } from "./grpc/GrpcTransport.ts"
import * as HttpTransport from "./http/HttpTransport.ts"
import { type ModelInvalid, ModelRepository, type RepositoryInvalid } from "./repository/ModelRepository.ts"
import type { TlsInvalid } from "./Tls.ts"
import type { ExecutionProvider } from "./worker/Message.ts"
import type { ModelLoadFailed } from "./worker/ModelWorker.ts"

/** What to serve, where, and to whom. */
export interface Options extends HttpTransport.Options {
  /** One .onnx file, a folder of them, or Triton's layout. */
  readonly repository: string
  /** Port for gRPC, 0 for a free one; no gRPC where it is not given. */
  readonly grpcPort?: number | undefined
  /** The server's name in its metadata, `rai` by default; clients that insist on Triton want `triton`. */
  readonly name?: string | undefined
  /** Execution providers, tried in this order for each model. */
  readonly executionProviders?: ReadonlyArray<ExecutionProvider> | undefined
  /** How often to look for changed, new and removed models; never where it is not given. */
  readonly poll?: Duration.Input | undefined
  /** When told to stop, the server keeps listening until no request has come for this long; 0 by default. */
  readonly quiet?: Duration.Input | undefined
  /** How long running requests may take once the server is told to stop; 30 s by default. */
  readonly grace?: Duration.Input | undefined
}

/** A running server: `url` is its HTTP address, `http://127.0.0.1:8080`, and `grpc` its gRPC address, `127.0.0.1:8081`, where it has one. */
export class InferenceServer extends Context.Service<
  InferenceServer,
  { readonly url: string; readonly grpc: string | undefined }
>()("@rai/serving/InferenceServer") {}

/**
 * Makes the server not ready, so that load balancers send requests elsewhere; each answer says so too by closing its connection. Completes once no
 * request is running and none has come for `quiet`, or after `patience`.
 */
const drain = Effect.fnUntraced(function* (quiet: Duration.Duration, patience: Duration.Duration) {
  const plane = yield* DataPlane
  const { leave } = yield* HttpTransport.HttpTransport
  const asked = Effect.map(Effect.orDie(plane.statistics()), (models) =>
    models.reduce((sum, { inference_stats: { fail, success } }) => sum + fail.count + success.count, 0)
  )
  const still = Effect.gen(function* () {
    const before = yield* asked
    yield* Effect.sleep(quiet)
    yield* plane.drain
    return before === (yield* asked)
  })
  yield* Effect.logInfo("stopping: not ready from now on, what is under way is answered")
  yield* leave
  const idle = plane.drain.pipe(Effect.andThen(still), Effect.repeat({ until: (isStill) => isStill }))
  // A finaliser is uninterruptible, so whatever it puts a time limit on must be made interruptible.
  const ended = yield* Effect.timeoutOption(Effect.interruptible(idle), patience)
  if (Option.isNone(ended)) yield* Effect.logWarning("requests still come or run; the server stops listening")
})

/**
 * Serves a repository on 127.0.0.1:8080 until its scope closes: the server then becomes not ready, answers what is running, stops listening, and at
 * last the models' threads end. Running requests get 45 % of `grace` before it stops listening and 45 % after; the rest is for the threads.
 */
export const layer = ({
  repository,
  grpcPort,
  name,
  executionProviders = ["cuda", "cpu"],
  poll,
  quiet = 0,
  grace = "30 seconds",
  ...http
}: Options): Layer.Layer<
  InferenceServer,
  RepositoryInvalid | ModelInvalid | ModelLoadFailed | TlsInvalid | AddressUnavailable
> => {
  const onRequest = http.access?.admin !== undefined
  const plane = DataPlane.layer({ name, providers: executionProviders, poll, onRequest }).pipe(
    Layer.provide(ModelRepository.layer(repository))
  )
  const share = Duration.times(Duration.fromInputUnsafe(grace), 0.45)
  const { access, host, limits, tls } = http
  const grpc =
    grpcPort === undefined
      ? Layer.empty
      : GrpcTransport.layer({ host, port: grpcPort, access, tls, limits, grace: share })
  const running = Layer.effect(
    InferenceServer,
    Effect.gen(function* () {
      const { url } = yield* HttpTransport.HttpTransport
      const index = yield* DataPlane.use((plane) => plane.index)
      const ready = index.filter(({ state }) => state === "READY")
      const names = ready.map(({ name }) => name)
      const models = new Set(names).size
      const list = ready.map(({ name, provider, version }) => {
        const isAlone = names.indexOf(name) === names.lastIndexOf(name)
        return `${isAlone ? name : `${name} ${version}`} (${provider})`
      })
      const transport = yield* Effect.serviceOption(GrpcTransport)
      const grpc = Option.getOrUndefined(transport)?.address
      const places = grpc === undefined ? url : `${url} and, for gRPC, ${grpc}`
      yield* Effect.logInfo(
        `serving ${models} ${models === 1 ? "model" : "models"} at ${places}${list.length === 0 ? "" : `: ${list.join(", ")}`}`
      )
      yield* Effect.addFinalizer(() => drain(Duration.fromInputUnsafe(quiet), share))
      return InferenceServer.of({ url, grpc })
    })
  )
  const ports = Effect.forEach([http.port, grpcPort], (port) => AddressUnavailable.checkPort(host, port), {
    discard: true
  })
  // The server starts listening once the models are open, and stops before they close.
  const serving = running.pipe(
    // Side by side, so that both also stop at the same time.
    Layer.provide([HttpTransport.HttpTransport.layer({ ...http, grace: share }), grpc]),
    Layer.provide(plane),
    Layer.provide(NodeServices.layer)
  )
  return Layer.unwrap(Effect.as(ports, serving))
}
