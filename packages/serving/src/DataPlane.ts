/**
 * The server's operations, independent of the transport: which models there are, their state and statistics, inference, and loading.
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

/** A model as a request names it; without a version (or with an empty one), the latest version that is ready. */
export interface ModelName {
  readonly model: string
  readonly version?: string | undefined
}

/** The server's name and version, and the protocol extensions it supports. */
export interface ServerMetadata {
  readonly name: string
  readonly version: string
  readonly extensions: ReadonlyArray<string>
}

/** A model's inputs and outputs; `parameters` holds the execution provider that took it, and why earlier ones did not. */
export interface ModelMetadata extends ModelSignature {
  readonly name: string
  /** The versions that are ready. */
  readonly versions: ReadonlyArray<string>
  readonly platform: string
  readonly parameters: Readonly<Record<string, string>>
}

/** How a model is served: its settings as they hold, defaults filled in. */
export interface ModelConfig extends ModelSignature {
  readonly name: string
  readonly platform: string
  readonly settings: ModelSettings
  /** Maximum number of rows that one execution takes from several requests; 0 where requests are never batched. */
  readonly maxBatchSize: number
}

/** A version's state, in Triton's terms. */
export type ModelState = "READY" | "LOADING" | "UNLOADING" | "UNAVAILABLE"

/** An entry of the repository's index; `reason` says why a version is not ready, or why it is not the one in the repository now. */
export interface IndexEntry {
  readonly name: string
  readonly version: string
  readonly state: ModelState
  readonly reason: string
  /** The execution provider that took it, while it is ready. */
  readonly provider?: ExecutionProvider | undefined
}

/** How to load a model: `config` replaces its settings (JSON text in Triton's form), `files` replaces its folder's files, by name. */
export interface LoadOptions {
  readonly config?: string | undefined
  readonly files?: Readonly<Record<string, Uint8Array>> | undefined
}

/** Cancels a request: its answer never comes, and it leaves the queue if no worker has taken it yet. */
export type Cancel = () => void

/** Which models to serve, and the server's name: `rai` by default; clients that insist on Triton want `triton`. */
export interface Options extends ModelManager.Options {
  readonly name?: string | undefined
}

/** The operations of the Open Inference Protocol and of Triton's extensions. */
export class DataPlane extends Context.Service<
  DataPlane,
  {
    readonly serverMetadata: ServerMetadata
    /** Fails while the server drains, and while it has models to serve but none of them answers; one broken model does not take the others down. */
    readonly serverReady: Effect.Effect<void, NoneReady | Draining>
    /** Makes the server not ready from now on, although it still answers; completes once no request is waiting or running. */
    readonly drain: Effect.Effect<void>
    /** Fails for a model that is unknown or not ready. */
    readonly modelReady: (name: ModelName) => Effect.Effect<void, ModelUnknown | ModelUnavailable>
    readonly modelMetadata: (name: ModelName) => Effect.Effect<ModelMetadata, ModelUnknown | ModelUnavailable>
    readonly modelConfig: (name: ModelName) => Effect.Effect<ModelConfig, ModelUnknown | ModelUnavailable>
    /** Statistics of one version, of all versions of a model, or, without a name, of all models. */
    readonly statistics: (name?: ModelName) => Effect.Effect<ReadonlyArray<ModelStatistics>, ModelUnknown>
    /** Every model and version in the repository, by name and version, loaded or not. */
    readonly index: Effect.Effect<ReadonlyArray<IndexEntry>>
    /** Loads or reloads a model; what served before keeps serving until the new version is ready. */
    readonly load: (model: string, options?: LoadOptions) => Effect.Effect<void, ModelUnknown | LoadRefused>
    /** Unloads a model; requests already in its queue are still answered. */
    readonly unload: (model: string) => Effect.Effect<void, ModelUnknown>
    /** Answers a request; the inputs' memory is read until the answer comes, so do not overwrite it before. */
    readonly infer: (name: ModelName, request: InferRequest) => Effect.Effect<InferResponse, RequestError>
    /**
     * The same without a fiber, for paths where every microsecond counts. `deadline` is a time of `performance.now()`, undefined for none. `answer`
     * is called once, now or later, unless the request is cancelled first.
     */
    readonly submit: (
      name: ModelName,
      request: InferRequest,
      deadline: number | undefined,
      answer: (result: Result.Result<InferResponse, RequestError>) => void
    ) => Cancel
    /**
     * Returns why a request to this model would be refused now because its queue is full, so that its body need not be read. It counts as refused:
     * answer with it.
     */
    readonly refusal: (name: ModelName) => RequestError | undefined
    /**
     * Signature of the version that would answer a request to this name now, for transports that check before they read a body; undefined where there
     * is none.
     */
    readonly signature: (name: ModelName) => ModelSignature | undefined
  }
>()("@rai/serving/DataPlane") {
  /** Opens the repository's models, each on the first provider that takes it. */
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

// Names appear verbatim in paths, log lines and addresses.
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
