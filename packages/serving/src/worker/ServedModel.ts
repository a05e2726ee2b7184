/**
 * One version of a model, kept running: threads with a session each, restarted when they stop, behind one queue.
 */
import { availableParallelism } from "node:os"
import { Deferred, Effect, Result, Schedule, type Scope } from "effect"
import * as Batchable from "../batching/Batchable.ts"
import * as Batcher from "../batching/Batcher.ts"
import * as Datatype from "../Datatype.ts"
import { type InferRequest, type InferResponse, quote } from "../InferTensor.ts"
import * as ModelSignature from "../ModelSignature.ts"
import type { ModelStatistics } from "../ModelStatistics.ts"
import { ModelUnavailable, type RequestError, RequestInvalid } from "../RequestError.ts"
import type { Labels } from "../repository/Labels.ts"
import * as ModelSettings from "../repository/ModelSettings.ts"
import * as ModelView from "../repository/ModelView.ts"
import type { ExecutionProvider, RuntimeSpec } from "./Message.ts"
import * as ModelWorker from "./ModelWorker.ts"

/** Which version, how it is served, and the check that it must pass first. */
export interface Options extends Omit<ModelWorker.Options, "threads"> {
  readonly version: string
  readonly settings: ModelSettings.ModelSettings
  readonly labels?: Labels | undefined
  /** Names of inputs and outputs whose shape the model does not declare. */
  readonly shapeless?: ReadonlySet<string>
  readonly check: (worker: ModelWorker.ModelWorker) => Effect.Effect<void, ModelWorker.ModelLoadFailed>
}

/** A version that is served. */
export interface ServedModel {
  readonly name: string
  readonly version: string
  readonly settings: ModelSettings.ModelSettings
  readonly signature: ModelSignature.ModelSignature
  readonly maxBatchSize: number
  /** From a worker that is open now; fails while none is. */
  readonly description: Effect.Effect<ModelWorker.Description, ModelUnavailable>
  /** Returns why there is no room for another request now, or undefined. It counts as refused: the caller must answer with it. */
  readonly refusal: () => RequestError | undefined
  readonly submit: (
    request: InferRequest,
    deadline: number | undefined,
    answer: (result: Result.Result<InferResponse, RequestError>) => void
  ) => () => void
  /** `submit` as an effect; interrupting it cancels the request. */
  readonly infer: (request: InferRequest) => Effect.Effect<InferResponse, RequestError>
  readonly statistics: () => ModelStatistics
  /** Completes when nothing is waiting or running. */
  readonly drained: Effect.Effect<void>
}

interface Made {
  readonly view: ModelView.ModelView
  readonly maxBatchSize: number
  readonly batcher: Batcher.Batcher
  readonly provider: ExecutionProvider
}

/**
 * Defaults where a model's settings say nothing: maximum rows and input bytes of an execution, maximum number of waiting requests, and the wait in
 * milliseconds that a request may expect. Many rows, so that less of the server's time goes into the work between executions; but where a row is
 * large, an execution of that many would need much memory and gain nothing. Under overload, accepted requests are answered nearly as quickly as at
 * capacity, and the rest can go elsewhere at once.
 */
const defaults = { rows: 512, bytes: 1024 * 1024, waiting: 1024, maxWait: 25 }

const untilItOpens = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("10 seconds")])

const signatureOf = (description: ModelWorker.Description): ModelSignature.ModelSignature => {
  const spec = ({ name, type, shape }: RuntimeSpec) => ({ name, datatype: Datatype.fromRuntime(type), shape })
  return { inputs: description.inputs.map(spec), outputs: description.outputs.map(spec) }
}

const noTensors = (names: ReadonlyArray<string>): string =>
  `${names.map(quote).join(", ")}, in a sequence or map where the protocol has tensors`
const withoutZipMap = "; export it with tensors, such as one of scikit-learn without ZipMap"

const maxRowsOf = (settings: ModelSettings.ModelSettings, batchable: boolean): number =>
  batchable ? (settings.max_batch_size ?? defaults.rows) : 0

/** Opens a version, checks it and warms it up; it stays open until the scope closes, which first waits for the queue to empty. */
export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<ServedModel, ModelWorker.ModelLoadFailed, Scope.Scope> {
  const { name, version, settings, labels, check, model, weights = [], shapeless = new Set(), providers } = options
  const policy = settings.dynamic_batching?.default_queue_policy
  const instances = ModelSettings.instancesOf(settings)
  const threads = Math.max(1, Math.floor(availableParallelism() / instances))
  const first = yield* Deferred.make<Made, ModelWorker.ModelLoadFailed>()
  const run = Effect.runForkWith(yield* Effect.context())
  const open = new Set<ModelWorker.ModelWorker>()
  let restarts = 0
  let made: Made | undefined

  const refuse = (reason: string) => new ModelWorker.ModelLoadFailed({ model: name, reason })

  /** The first worker to open decides whether the model is served, and how. */
  const begin = Effect.fnUntraced(function* (worker: ModelWorker.ModelWorker) {
    const runtimes = signatureOf(worker.description)
    const all = yield* Effect.mapError(Effect.fromResult(ModelView.shaped(runtimes, shapeless, settings)), refuse)
    const { opaque } = worker.description
    if (opaque.inputs.length > 0) return yield* refuse(`it takes ${noTensors(opaque.inputs)}; export it with tensors`)
    if (all.outputs.length === 0) return yield* refuse(`it gives only ${noTensors(opaque.outputs)}${withoutZipMap}`)
    const own = yield* Effect.mapError(Effect.fromResult(ModelView.declared(all, settings)), refuse)
    const view = yield* Effect.mapError(Effect.fromResult(ModelView.make(own, settings, labels)), refuse)
    yield* check(worker)
    // Where the settings name the outputs to serve, nothing is missing.
    if (opaque.outputs.length > 0 && !settings.output?.length) {
      yield* Effect.logWarning(`the model "${name}" is served without ${noTensors(opaque.outputs)}${withoutZipMap}`)
    }
    // The trial also warms the model up: its first computation is the slowest.
    const maxBatchSize = maxRowsOf(settings, yield* Batchable.isBatchable(worker, own))
    const batcher = Batcher.make({
      model: name,
      maxRows: maxBatchSize,
      maxBytes: settings.max_batch_size === undefined ? defaults.bytes : Number.POSITIVE_INFINITY,
      maxDelay: (settings.dynamic_batching?.max_queue_delay_microseconds ?? 0) / 1000,
      timeout: policy?.timeout_action === "DELAY" ? 0 : (policy?.default_timeout_microseconds ?? 0) / 1000,
      limit: policy?.max_queue_size || defaults.waiting,
      maxWait: policy?.max_queue_size ? Number.POSITIVE_INFINITY : defaults.maxWait,
      onFailure: (text) => run(Effect.logWarning(`the model "${name}" could not compute its input: ${text}`))
    })
    return { view, maxBatchSize, batcher, provider: worker.description.provider }
  })

  const oneLife = Effect.gen(function* () {
    const worker = yield* ModelWorker.make({ name, model, weights, providers, threads })
    made ??= yield* begin(worker)
    const { batcher } = made
    open.add(worker)
    batcher.add(worker)
    yield* Deferred.succeed(first, made)
    yield* Effect.ensuring(
      worker.stopped,
      Effect.sync(() => {
        open.delete(worker)
        batcher.remove(worker)
      })
    )
    restarts += 1
    yield* Effect.logWarning(`a worker of the model "${name}" stopped; starting it again`)
  }).pipe(Effect.scoped)

  const supervise = oneLife.pipe(
    Effect.onError((cause) => {
      if (open.size === 0) made?.batcher.giveUp()
      return Deferred.failCause(first, cause)
    }),
    Effect.retry(untilItOpens),
    Effect.repeat(Schedule.spaced("100 millis"))
  )
  yield* Effect.forkScoped(supervise)
  const { view, maxBatchSize, batcher, provider } = yield* Deferred.await(first)
  for (let i = 1; i < instances; i++) yield* Effect.forkScoped(supervise)
  const drained = Effect.callback<void>((resume) => batcher.whenEmpty(() => resume(Effect.void)))
  yield* Effect.addFinalizer(() => drained)

  const { signature, inward, outward } = view
  const submit: ServedModel["submit"] = (request, deadline, answer) => {
    const fault = ModelSignature.misfit(signature, request.inputs)
    const outputs = fault === undefined ? ModelSignature.chooseOutputs(signature, request) : Result.fail(fault)
    if (Result.isFailure(outputs)) {
      answer(Result.fail(outputs.failure))
      return () => {}
    }
    const inputs = inward(request)
    if (Result.isFailure(inputs)) {
      answer(Result.fail(inputs.failure))
      return () => {}
    }
    const rows = inputs.success[0]?.shape[0] ?? 0
    if (maxBatchSize > 0 && rows > (settings.max_batch_size ?? rows)) {
      answer(
        Result.fail(
          new RequestInvalid({
            reason: `the request has ${rows} rows, more than the ${maxBatchSize} that the model "${name}" takes at once; send several requests`
          })
        )
      )
      return () => {}
    }
    return batcher.submit({ inputs: inputs.success }, outputs.success, deadline, (result) =>
      answer(Result.map(result, (tensors) => ({ id: request.id, model: name, version, outputs: outward(tensors) })))
    )
  }

  return {
    name,
    version,
    settings,
    signature,
    maxBatchSize,
    description: Effect.suspend(() => {
      const [worker] = open
      return worker === undefined
        ? Effect.fail(new ModelUnavailable({ model: name }))
        : Effect.succeed(worker.description)
    }),
    refusal: () => batcher.refusal(),
    submit,
    infer: (request) =>
      Effect.callback((resume) => {
        const cancel = submit(request, undefined, (result) => resume(Effect.fromResult(result)))
        return Effect.sync(cancel)
      }),
    statistics: () => ({ name, version, ...batcher.tally.counts(), ...batcher.state(), restarts, provider }),
    drained
  }
})
