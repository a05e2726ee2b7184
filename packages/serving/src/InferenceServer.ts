/**
 * The inference server: every model of a repository behind the Open Inference Protocol.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Context, Duration, Effect, Layer, Option } from "effect"
import type { AddressUnavailable } from "./AddressUnavailable.ts"
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
  /** Serves gRPC there too, 0 taking a free port; not where it is not given. */
  readonly grpcPort?: number | undefined
  /** What the server's metadata call it: clients that insist on Triton want `triton`; `rai` where it is not given. */
  readonly name?: string | undefined
  /** Tried in this order for each model. */
  readonly executionProviders?: ReadonlyArray<ExecutionProvider> | undefined
  /** How often to look for changed, new and removed models; never where it is not given. */
  readonly poll?: Duration.Input | undefined
  /** Once it is to stop, it goes on listening until no request has come for so long; 0 where it is not given. */
  readonly quiet?: Duration.Input | undefined
  /** What requests that are under way may take once the server is to stop; 30 s where it is not given. */
  readonly grace?: Duration.Input | undefined
}

/** A running server: `url` is its address, `http://127.0.0.1:8080`, and `grpc` that of its other port, `127.0.0.1:8081`, where it has one. */
export class InferenceServer extends Context.Service<
  InferenceServer,
  { readonly url: string; readonly grpc: string | undefined }
>()("@rai/serving/InferenceServer") {}

/**
 * Not ready from now on, for whoever sends requests elsewhere then, and each answer says so too by closing its connection; ends once none is
 * under way and none has come for a while (`quiet`), or when it has taken `patience`.
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
  // A finaliser is not interrupted, so that what it waits for must be.
  const ended = yield* Effect.timeoutOption(Effect.interruptible(idle), patience)
  if (Option.isNone(ended)) yield* Effect.logWarning("requests still come or run; the server stops listening")
})

/**
 * Serves a repository on 127.0.0.1:8080 until its scope closes: then it is not ready, answers what is under way, stops listening, and at last the
 * models' threads end. What is under way may take 45 % of `grace` before it stops listening, as much again after that, and the rest is the threads'.
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
  const plane = DataPlane.layer({ name, providers: executionProviders, poll }).pipe(
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
      yield* Effect.logInfo(`serving ${models} ${models === 1 ? "model" : "models"} at ${places}: ${list.join(", ")}`)
      yield* Effect.addFinalizer(() => drain(Duration.fromInputUnsafe(quiet), share))
      return InferenceServer.of({ url, grpc })
    })
  )
  // The server listens once the models are open, and is closed before they are.
  return running.pipe(
    // Beside each other: they also stop at one time.
    Layer.provide([HttpTransport.HttpTransport.layer({ ...http, grace: share }), grpc]),
    Layer.provide(plane),
    Layer.provide(NodeServices.layer)
  )
}
