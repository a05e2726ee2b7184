/**
 * What the server does, whatever the transport: which models there are, their state and statistics, inference, and loading.
 */
import { Context, Effect, type FileSystem, Layer, Result } from "effect"
import manifest from "../package.json" with { type: "json" }
import type { InferRequest, InferResponse } from "./InferTensor.ts"
import type { ModelSignature } from "./ModelSignature.ts"
import type { ModelStatistics } from "./ModelStatistics.ts"
import {
  Draining,
  LoadRefused,
  type ModelUnavailable,
  type ModelUnknown,
  NoneReady,
  type RequestError
} from "./RequestError.ts"
import * as ModelManager from "./repository/ModelManager.ts"
import type { ModelInvalid, ModelRepository, RepositoryInvalid } from "./repository/ModelRepository.ts"
import type { ModelSettings } from "./repository/ModelSettings.ts"
import * as ExecutionProviders from "./worker/ExecutionProviders.ts"
import type { ExecutionProvider } from "./worker/Message.ts"
import type { Description, ModelLoadFailed } from "./worker/ModelWorker.ts"

/** A model as a request names it; without a version (or with an empty one), the latest that is ready. */
export interface ModelName {
  readonly model: string
  readonly version?: string | undefined
}

/** Which server this is, and the protocol's extensions that it speaks. */
export interface ServerMetadata {
  readonly name: string
  readonly version: string
  readonly extensions: ReadonlyArray<string>
}

/** A model's inputs and outputs, and in `parameters` which execution provider took it and why an earlier one did not. */
export interface ModelMetadata extends ModelSignature {
  readonly name: string
  /** Those that are ready. */
  readonly versions: ReadonlyArray<string>
  readonly platform: string
  readonly parameters: Readonly<Record<string, string>>
}

/** How a model is served: its settings as they hold, defaults filled in. */
export interface ModelConfig extends ModelSignature {
  readonly name: string
  readonly platform: string
  readonly settings: ModelSettings
  /** The most rows that one execution takes from several requests; 0 where they are never put together. */
  readonly maxBatchSize: number
}

/** Triton's states of a version. */
export type ModelState = "READY" | "LOADING" | "UNLOADING" | "UNAVAILABLE"

/** A line of the repository's index; `reason` says why a version is not ready, or why it is not what lies in the repository now. */
export interface IndexEntry {
  readonly name: string
  readonly version: string
  readonly state: ModelState
  readonly reason: string
  /** The provider that took it, while it is ready. */
  readonly provider?: ExecutionProvider | undefined
}

/** How a model is to be loaded: settings that replace its own, as JSON text in Triton's form, and files by name that replace its folder's. */
export interface LoadOptions {
  readonly config?: string | undefined
  readonly files?: Readonly<Record<string, Uint8Array>> | undefined
}

/** Takes a request back: its answer never comes, and where no worker has it yet it leaves the queue. */
export type Cancel = () => void

/** Which models, and what the server calls itself: clients that insist on Triton want `triton`; `rai` where it is not given. */
export interface Options extends ModelManager.Options {
  readonly name?: string | undefined
}

/** The operations of the Open Inference Protocol and of Triton's extensions. */
export class DataPlane extends Context.Service<
  DataPlane,
  {
    readonly serverMetadata: ServerMetadata
    /** Fails while the server drains, and while it is to serve models and none of them answers: one that is broken does not take it from the others. */
    readonly serverReady: Effect.Effect<void, NoneReady | Draining>
    /** From now on the server is not ready, though it answers; ends when no request waits or is under way. */
    readonly drain: Effect.Effect<void>
    /** Fails for a model that is unknown or not ready. */
    readonly modelReady: (name: ModelName) => Effect.Effect<void, ModelUnknown | ModelUnavailable>
    readonly modelMetadata: (name: ModelName) => Effect.Effect<ModelMetadata, ModelUnknown | ModelUnavailable>
    readonly modelConfig: (name: ModelName) => Effect.Effect<ModelConfig, ModelUnknown | ModelUnavailable>
    /** Of one version, of all of a model's, or, without a name, of all. */
    readonly statistics: (name?: ModelName) => Effect.Effect<ReadonlyArray<ModelStatistics>, ModelUnknown>
    /** Every model and version that the repository has, by name and version; loaded or not. */
    readonly index: Effect.Effect<ReadonlyArray<IndexEntry>>
    /** Loads a model, or loads it anew; what served before serves until the new version is ready. */
    readonly load: (model: string, options?: LoadOptions) => Effect.Effect<void, ModelUnknown | LoadRefused>
    /** What it has in its queue is answered first. */
    readonly unload: (model: string) => Effect.Effect<void, ModelUnknown>
    /** The inputs' memory is read until the answer comes. */
    readonly infer: (name: ModelName, request: InferRequest) => Effect.Effect<InferResponse, RequestError>
    /**
     * The same without a fiber, for the paths where each microsecond counts. `deadline` is a time of `performance.now()`, undefined for none.
     * `answer` is called once, now or later, unless the request is taken back first.
     */
    readonly submit: (
      name: ModelName,
      request: InferRequest,
      deadline: number | undefined,
      answer: (result: Result.Result<InferResponse, RequestError>) => void
    ) => Cancel
    /** Why a request to this name would be refused now, its queue full, before its body is read; whoever asks is to answer with it. */
    readonly refusal: (name: ModelName) => RequestError | undefined
    /** The signature of the version that a request to this name would meet now, for transports that check before they read a body; undefined where there is none. */
    readonly signature: (name: ModelName) => ModelSignature | undefined
  }
>()("@rai/serving/DataPlane") {
  /** Opens what the repository holds, each model on the first of the providers that takes it. */
  static readonly layer = ({
    name: server = "rai",
    ...options
  }: Options): Layer.Layer<
    DataPlane,
    RepositoryInvalid | ModelInvalid | ModelLoadFailed,
    ModelRepository | FileSystem.FileSystem
  > =>
    Layer.effect(
      DataPlane,
      Effect.map(ModelManager.make(options), (manager) => over(server, manager))
    )
}

const extensions = [
  "binary_tensor_data",
  "classification",
  "model_configuration",
  "model_repository",
  "model_repository(unload_dependents)",
  "statistics"
]

const platform = "onnxruntime_onnx"

const parametersOf = ({ provider, refused }: Description): Readonly<Record<string, string>> =>
  Object.fromEntries([
    ["execution_provider", provider],
    ...refused.map((attempt) => [`${attempt.provider}_not_taken`, ExecutionProviders.explain(attempt)])
  ])

// It stands in paths, lines of the log and addresses as it is.
const unfitName = /^\.{0,2}$|[\p{Cc}\p{Zl}\p{Zp}/\\]/u

const over = (server: string, manager: Effect.Success<ReturnType<typeof ModelManager.make>>): DataPlane["Service"] => {
  let draining = false
  const find = (name: ModelName) =>
    Effect.suspend(() => {
      const found = manager.find(name)
      return found === undefined ? Effect.fail(manager.why(name)) : Effect.succeed(found)
    })

  const submit: DataPlane["Service"]["submit"] = (name, request, deadline, answer) => {
    const found = manager.find(name)
    if (found !== undefined) return found.submit(request, deadline, answer)
    answer(Result.fail(manager.why(name)))
    return () => {}
  }

  return DataPlane.of({
    serverMetadata: { name: server, version: manifest.version, extensions },
    serverReady: Effect.gen(function* () {
      if (draining) return yield* new Draining()
      if (!manager.isEmpty() && !(yield* manager.answers)) return yield* new NoneReady()
    }),
    drain: Effect.suspend(() => {
      draining = true
      return Effect.forEach(manager.served(), ({ drained }) => drained, { discard: true })
    }),
    modelReady: (name) => Effect.flatMap(find(name), ({ description }) => Effect.asVoid(description)),
    modelMetadata: Effect.fnUntraced(function* (name) {
      const served = yield* find(name)
      const description = yield* served.description
      return {
        name: served.name,
        versions: manager.served(served.name).map(({ version }) => version),
        platform,
        ...served.signature,
        parameters: parametersOf(description)
      }
    }),
    modelConfig: (name) =>
      Effect.map(find(name), ({ name, settings, signature, maxBatchSize }) => ({
        name,
        platform,
        ...signature,
        settings,
        maxBatchSize
      })),
    statistics: Effect.fnUntraced(function* (name) {
      const served = manager.served(name?.model)
      const asked = name?.version ? served.filter(({ version }) => version === name.version) : served
      if (name !== undefined && asked.length === 0 && (name.version || !manager.names().includes(name.model))) {
        return yield* manager.unknown(name)
      }
      return asked.map((model) => model.statistics())
    }),
    index: manager.index,
    load: (model, options) =>
      unfitName.test(model)
        ? Effect.fail(
            new LoadRefused({
              model,
              reason:
                "a model's name holds no control character, no «/» and no «\\», and is not empty, «.» or «..»; give it another name"
            })
          )
        : manager.load(model, options),
    unload: manager.unload,
    infer: (name, request) => Effect.flatMap(find(name), ({ infer }) => infer(request)),
    submit,
    refusal: (name) => manager.find(name)?.refusal(),
    signature: (name) => manager.find(name)?.signature
  })
}
