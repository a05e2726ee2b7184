/**
 * What the server does, whatever the transport: which models there are, are they ready, and inference.
 */
import { Context, Effect, Layer } from "effect"
import manifest from "../package.json" with { type: "json" }
import * as Datatype from "./Datatype.ts"
import type { InferRequest, InferResponse } from "./InferTensor.ts"
import * as ModelSignature from "./ModelSignature.ts"
import { InferenceFailed, ModelUnavailable, ModelUnknown, type RequestError } from "./RequestError.ts"
import { ModelRepository, type RepositoryInvalid } from "./repository/ModelRepository.ts"
import * as ExecutionProviders from "./worker/ExecutionProviders.ts"
import type { ExecutionProvider, RuntimeSpec } from "./worker/Message.ts"
import type { Description, ModelLoadFailed } from "./worker/ModelWorker.ts"
import * as ServedModel from "./worker/ServedModel.ts"

/** A model as a request names it; without a version, the one that is served. */
export interface ModelName {
  readonly model: string
  readonly version?: string | undefined
}

/** Which server this is; `extensions` of the protocol: none yet. */
export interface ServerMetadata {
  readonly name: string
  readonly version: string
  readonly extensions: ReadonlyArray<string>
}

/** A model's inputs and outputs, and in `parameters` which execution provider took it and why an earlier one did not. */
export interface ModelMetadata extends ModelSignature.ModelSignature {
  readonly name: string
  readonly versions: ReadonlyArray<string>
  readonly platform: string
  readonly parameters: Readonly<Record<string, string>>
}

const signatureOf = (description: Description): ModelSignature.ModelSignature => {
  const spec = ({ name, type, shape }: RuntimeSpec) => ({ name, datatype: Datatype.fromRuntime(type), shape })
  return { inputs: description.inputs.map(spec), outputs: description.outputs.map(spec) }
}

const parametersOf = ({ provider, refused }: Description): Readonly<Record<string, string>> =>
  Object.fromEntries([
    ["execution_provider", provider],
    ...refused.map((attempt) => [`${attempt.provider}_not_taken`, ExecutionProviders.explain(attempt)])
  ])

/** The operations of the Open Inference Protocol. */
export class DataPlane extends Context.Service<
  DataPlane,
  {
    readonly serverMetadata: ServerMetadata
    /** Fails while a model is not ready. */
    readonly serverReady: Effect.Effect<void, ModelUnavailable>
    /** Fails for a model that is unknown or not ready. */
    readonly modelReady: (name: ModelName) => Effect.Effect<void, ModelUnknown | ModelUnavailable>
    readonly modelMetadata: (name: ModelName) => Effect.Effect<ModelMetadata, ModelUnknown | ModelUnavailable>
    /** Takes the inputs' memory: their arrays are empty afterwards. */
    readonly infer: (name: ModelName, request: InferRequest) => Effect.Effect<InferResponse, RequestError>
    /** Every model's name and the provider that took it, or undefined while it is not ready. */
    readonly models: Effect.Effect<
      ReadonlyArray<{ readonly name: string; readonly provider: ExecutionProvider | undefined }>
    >
  }
>()("@rai/serving/DataPlane") {
  /** Opens every model of the repository, each on the first of the providers that takes it. */
  static readonly layer = (
    providers: ReadonlyArray<ExecutionProvider>
  ): Layer.Layer<DataPlane, RepositoryInvalid | ModelLoadFailed, ModelRepository> =>
    Layer.effect(
      DataPlane,
      Effect.gen(function* () {
        const files = yield* ModelRepository.use((repository) => repository.list)
        const served = yield* Effect.forEach(
          files,
          ({ name, version, path }) => ServedModel.make({ name, version, model: path, providers }),
          { concurrency: 4 }
        )
        const byName = new Map(served.map((model) => [model.name, model]))

        const find = ({ model, version }: ModelName) => {
          const found = byName.get(model)
          return found === undefined || (version !== undefined && version !== found.version)
            ? Effect.fail(new ModelUnknown({ model, version, known: [...byName.keys()] }))
            : Effect.succeed(found)
        }
        const open = (name: ModelName) => Effect.flatMap(find(name), (model) => model.worker)

        const modelMetadata = Effect.fnUntraced(function* (name: ModelName) {
          const model = yield* find(name)
          const { description } = yield* model.worker
          return {
            name: model.name,
            versions: [model.version],
            platform: "onnxruntime_onnx",
            ...signatureOf(description),
            parameters: parametersOf(description)
          }
        })

        const infer = Effect.fnUntraced(function* (name: ModelName, request: InferRequest) {
          const model = yield* find(name)
          const worker = yield* model.worker
          const signature = signatureOf(worker.description)
          yield* ModelSignature.checkInputs(signature, request.inputs)
          const wanted = yield* ModelSignature.chooseOutputs(signature, request)
          const inputs = request.inputs.map(({ name, datatype, shape, data }) => {
            return { name, type: Datatype.row(datatype).runtime, dims: shape, data }
          })
          const answers = yield* worker
            .run(
              inputs,
              wanted.map((spec) => spec.name)
            )
            .pipe(
              Effect.catchTags({
                WorkerStopped: () => Effect.fail(new ModelUnavailable({ model: model.name })),
                RunFailed: (failure) =>
                  Effect.andThen(
                    Effect.logWarning(failure.message),
                    Effect.fail(new InferenceFailed({ model: model.name }))
                  )
              })
            )
          const outputs = answers.map(({ dims, data }, index) => {
            const { name, datatype } = wanted[index]!
            return { name, datatype, shape: dims, data }
          })
          return { id: request.id, model: model.name, version: model.version, outputs }
        })

        return DataPlane.of({
          serverMetadata: { name: "rai", version: manifest.version, extensions: [] },
          serverReady: Effect.forEach(served, (model) => model.worker, { discard: true }),
          modelReady: (name) => Effect.asVoid(open(name)),
          modelMetadata,
          infer,
          models: Effect.forEach(served, ({ name, worker }) =>
            worker.pipe(
              Effect.map(({ description }) => ({ name, provider: description.provider })),
              Effect.catch(() => Effect.succeed({ name, provider: undefined }))
            )
          )
        })
      })
    )
}
