/**
 * What the server and a model's thread say to each other. Both ends are this package's and tensors change hands by transfer, so the messages are
 * plain data and are not decoded.
 */
import type { TensorData } from "../Datatype.ts"

/** A way to compute: `cpu` is always there; `cuda`, which is `cuda:0`, or another of its devices wants a GPU and its provider's libraries. */
export type ExecutionProvider = "cpu" | "cuda" | `cuda:${number}`

/** What a thread is started with: the model as a path or as bytes, and the providers to try, in order. */
export interface Settings {
  readonly model: string | Uint8Array
  /** The files that it keeps its weights in, each by its path from the model's folder. */
  readonly weights?: ReadonlyArray<string>
  readonly providers: ReadonlyArray<ExecutionProvider>
  /** Threads that one computation may use; all cores where it is not given. */
  readonly threads?: number | undefined
}

/** The settings with a flag in shared memory, which overtakes the messages that wait: not 0 once the thread is to end. */
export interface ThreadData extends Settings {
  readonly ending: Int32Array<SharedArrayBuffer>
}

/** A provider that did not take the model; `text` is the runtime's own and goes to the log alone. */
export interface Refused {
  readonly provider: ExecutionProvider
  readonly text: string
}

/** An input or output as the runtime describes it. */
export interface RuntimeSpec {
  readonly name: string
  readonly type: string
  readonly shape: ReadonlyArray<number | string>
}

/** A tensor under way. */
export interface RuntimeTensor {
  readonly name: string
  readonly type: string
  readonly dims: ReadonlyArray<number>
  readonly data: TensorData
}

/** The memory of tensors, each buffer once, to hand over; texts are copied. */
export const buffersOf = (tensors: ReadonlyArray<RuntimeTensor>): Array<ArrayBuffer> => {
  const buffers = new Set<ArrayBuffer>()
  for (const { data } of tensors) if (!Array.isArray(data)) buffers.add(data.buffer as ArrayBuffer)
  return [...buffers]
}

/** To the thread: compute. */
export interface Run {
  readonly type: "run"
  readonly id: number
  readonly inputs: ReadonlyArray<RuntimeTensor>
  readonly outputs: ReadonlyArray<string>
}

/** To the thread: end. Ending it from outside in the midst of a computation would abort the whole process. */
export interface End {
  readonly type: "end"
}

/** From the thread: one of the first two, then one of the last two for each `Run`. */
export type FromThread =
  | {
      readonly type: "opened"
      readonly provider: ExecutionProvider
      readonly refused: ReadonlyArray<Refused>
      readonly runtimeVersion: string
      readonly inputs: ReadonlyArray<RuntimeSpec>
      readonly outputs: ReadonlyArray<RuntimeSpec>
    }
  | { readonly type: "refused"; readonly refused: ReadonlyArray<Refused> }
  | {
      readonly type: "outputs"
      readonly id: number
      readonly outputs: ReadonlyArray<RuntimeTensor>
      /** Nanoseconds that the session took. */
      readonly ns: number
    }
  | { readonly type: "failed"; readonly id: number; readonly text: string }
