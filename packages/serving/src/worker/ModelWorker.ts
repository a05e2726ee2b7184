/**
 * A model in a thread of its own, from its start to its end.
 */
import { dirname } from "node:path"
import { Worker } from "node:worker_threads"
import * as CudaProvider from "@rai/onnxruntime/cuda"
import { Deferred, Effect, Result, Schema, type Scope } from "effect"
import {
  buffersOf,
  type End,
  type ExecutionProvider,
  type FromThread,
  type Refused,
  type Run,
  type RuntimeSpec,
  type RuntimeTensor,
  type Settings,
  type ThreadData
} from "./Message.ts"

/** The model cannot be loaded: no provider takes it, or it fails a check. `reason` is in our words; the runtime's own are in the log. */
export class ModelLoadFailed extends Schema.TaggedError<ModelLoadFailed>()("ModelLoadFailed", {
  model: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `the model "${this.model}": expected one that onnxruntime can run, but ${this.reason}`
  }
}

/** The thread ended before it answered. */
export class WorkerStopped extends Schema.TaggedError<WorkerStopped>()("WorkerStopped", { model: Schema.String }) {
  override get message(): string {
    return `the worker of the model "${this.model}" stopped before it answered`
  }
}

/** The runtime could not compute the input; `text` is its own, for the log alone. */
export class RunFailed extends Schema.TaggedError<RunFailed>()("RunFailed", {
  model: Schema.String,
  text: Schema.String
}) {
  override get message(): string {
    return `the model "${this.model}" could not compute its input: ${this.text}`
  }
}

/** What the runtime says about a model that it has opened. */
export interface Description {
  readonly provider: ExecutionProvider
  readonly refused: ReadonlyArray<Refused>
  readonly runtimeVersion: string
  readonly inputs: ReadonlyArray<RuntimeSpec>
  readonly outputs: ReadonlyArray<RuntimeSpec>
  /** Names of inputs and outputs that are no tensors. */
  readonly opaque: { readonly inputs: ReadonlyArray<string>; readonly outputs: ReadonlyArray<string> }
}

/** The outputs of a computation, and the nanoseconds that the session took. */
export interface Computed {
  readonly outputs: ReadonlyArray<RuntimeTensor>
  readonly ns: number
}

/** How a computation ended. */
export type Outcome = Result.Result<Computed, WorkerStopped | RunFailed>

/** A running thread. `run` transfers the inputs' memory and calls back once; `stopped` completes when the thread has ended. */
export interface ModelWorker {
  readonly description: Description
  readonly run: (
    inputs: ReadonlyArray<RuntimeTensor>,
    outputs: ReadonlyArray<string>,
    answer: (outcome: Outcome) => void
  ) => void
  readonly stopped: Effect.Effect<void>
}

/** `run` as an effect. */
export const compute = (worker: ModelWorker, inputs: ReadonlyArray<RuntimeTensor>, outputs: ReadonlyArray<string>) =>
  Effect.callback<Computed, WorkerStopped | RunFailed>((resume) => {
    worker.run(inputs, outputs, (outcome) => resume(Effect.fromResult(outcome)))
  })

/** Which model, and where to compute. */
export interface Options extends Settings {
  readonly name: string
}

const whyUnreadable = (text: string): string => {
  if (/protobuf|parse/i.test(text)) return "the file is not an ONNX model; export one again"
  if (/doesn't exist|no such file/i.test(text)) return "the file is gone; put it back"
  if (/no opset import/i.test(text)) {
    return "it uses operators of a domain that it does not import; add the domain's operator set to it"
  }
  if (/IR version|opset/i.test(text))
    return "its opset or IR version is newer than this onnxruntime knows; export it with opset 21"
  if (/unsupported data type/i.test(text)) {
    return "it takes or gives a type that onnxruntime has no tensors of in Node, such as bfloat16; cast it to float32 in the model"
  }
  if (/not implemented|not a registered|no op registered|custom/i.test(text)) {
    return "it uses an operator that this onnxruntime does not have; export it with standard operators"
  }
  return "onnxruntime does not accept its graph; check the file with onnx.checker"
}

const whyRefused = (refused: ReadonlyArray<Refused>): string => {
  const last = refused.at(-1)
  if (last === undefined) return "no execution provider was named to compute it on; name for instance cpu"
  return last.provider === "cpu" ? whyUnreadable(last.text) : CudaProvider.explain(last.text)
}

// The native library reads the process's real environment, which a thread's own copy does not reach.
const silenceTelemetry = Effect.sync(() => {
  process.env.ORT_DISABLE_TELEMETRY = "1"
})

/** Starts a thread and waits until its session is open; the thread ends with the scope, after its current computation. */
export const make = Effect.fnUntraced(function* ({
  name,
  ...settings
}: Options): Effect.fn.Return<ModelWorker, ModelLoadFailed, Scope.Scope> {
  // Callbacks by run id; a new run takes the first free id.
  const waiting: Array<((outcome: Outcome) => void) | undefined> = []
  const opened = Deferred.makeUnsafe<Description, ModelLoadFailed>()
  const stopped = Deferred.makeUnsafe<void>()
  const refuse = (reason: string) =>
    Deferred.doneUnsafe(opened, Effect.fail(new ModelLoadFailed({ model: name, reason })))
  // The path of the model's folder may contain any of the words that `whyUnreadable` looks for.
  const { model } = settings
  const withoutPath = (text: string) => (typeof model === "string" ? text.replaceAll(dirname(model), "") : text)
  let lastWords = "no reason given"

  yield* silenceTelemetry
  const data: ThreadData = { ...settings, ending: new Int32Array(new SharedArrayBuffer(4)) }
  const thread = yield* Effect.acquireRelease(
    // Without the process's own node options: the text of `--eval` would become the thread's program too.
    Effect.sync(() => new Worker(new URL("./SessionThread.ts", import.meta.url), { workerData: data, execArgv: [] })),
    (thread) =>
      Effect.suspend(() => {
        Atomics.store(data.ending, 0, 1)
        thread.postMessage({ type: "end" } satisfies End)
        return Deferred.await(stopped)
      })
  )

  const answer = (id: number, outcome: Outcome) => {
    const waits = waiting[id]
    waiting[id] = undefined
    waits?.(outcome)
  }
  thread.on("message", (message: FromThread) => {
    switch (message.type) {
      case "opened":
        return Deferred.doneUnsafe(opened, Effect.succeed(message))
      case "refused":
        lastWords = message.refused.map(({ provider, text }) => `${provider}: ${text}`).join("; ")
        return refuse(whyRefused(message.refused.map((each) => ({ ...each, text: withoutPath(each.text) }))))
      case "outputs":
        return answer(message.id, Result.succeed(message))
      case "failed":
        return answer(message.id, Result.fail(new RunFailed({ model: name, text: message.text })))
    }
  })
  thread.on("error", (error) => {
    lastWords = error instanceof Error ? error.message : String(error)
  })
  thread.on("exit", () => {
    refuse("its thread ended while it started; onnxruntime may not load on this machine (see `rai doctor`)")
    Deferred.doneUnsafe(stopped, Effect.void)
    for (const answer of waiting.splice(0)) answer?.(Result.fail(new WorkerStopped({ model: name })))
  })

  const description = yield* Deferred.await(opened).pipe(
    Effect.tapError(() => Effect.logDebug(`the model "${name}" was refused: ${lastWords}`))
  )
  return {
    description,
    stopped: Deferred.await(stopped),
    run: (inputs, outputs, answer) => {
      if (Deferred.isDoneUnsafe(stopped)) return answer(Result.fail(new WorkerStopped({ model: name })))
      const free = waiting.indexOf(undefined)
      const id = free < 0 ? waiting.length : free
      waiting[id] = answer
      thread.postMessage({ type: "run", id, inputs, outputs } satisfies Run, buffersOf(inputs))
    }
  }
})
