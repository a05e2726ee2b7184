/**
 * The messages between the server and a model's thread. Both ends belong to this package and tensors are transferred, so the messages are plain data
 * and are not decoded.
 */
import type { TensorData } from "../Datatype.ts"

/** An execution provider: `cpu` is always there; `cuda`, which is `cuda:0`, and the other devices need a GPU and the provider's libraries. */
export type ExecutionProvider = "cpu" | "cuda" | `cuda:${number}`

/** What a thread is started with: the model as a path or as bytes, and the providers to try, in order. */
export interface Settings {
  readonly model: string | Uint8Array
  /** The model's external weight files, each by its path from the model's folder. */
  readonly weights?: ReadonlyArray<string>
  readonly providers: ReadonlyArray<ExecutionProvider>
  /** Number of threads that one computation may use; all cores where it is not given. */
  readonly threads?: number | undefined
}

/** The settings, with a flag in shared memory that overtakes waiting messages: not 0 once the thread is to end. */
export interface ThreadData extends Settings {
  readonly ending: Int32Array<SharedArrayBuffer>
}

/** A provider that did not take the model; `text` is the runtime's own, for the log alone. */
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

/** A tensor on its way to or from the thread. */
export interface RuntimeTensor {
  readonly name: string
  readonly type: string
  readonly dims: ReadonlyArray<number>
  readonly data: TensorData
}

/** The tensors' buffers, each once, to transfer; texts are copied. */
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

/** To the thread: end. Terminating it from outside during a computation would abort the whole process. */
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
      /** Names of inputs and outputs that are no tensors: sequences and maps, which the protocol does not have. */
      readonly opaque: { readonly inputs: ReadonlyArray<string>; readonly outputs: ReadonlyArray<string> }
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
