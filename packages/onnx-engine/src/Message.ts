/**
 * What an engine and its threads say to each other; each message to a thread but the one that begins another is answered by one from it, in order.
 */
/// <reference path="./webassembly.d.ts" />
import type { MessagePort } from "node:worker_threads"
import type * as Job from "./Job.ts"

/** What a thread is started with: its number from 0, and whom it hears; the process's first hears the one that started it, and has a model to begin with. */
export interface ThreadData {
  readonly number: number
  readonly port?: MessagePort
  readonly model?: Uint8Array
  readonly device: Device
}

/** Where graphs are computed; the passes are the processor's. */
export type Device = "cpu" | "cuda"

/** To a thread: make a job ready in a memory, do it once or several times, forget it; begin another thread; come to an end, which leaves the process's first idle. */
export type ToThread =
  | {
      readonly type: "open"
      readonly id: number
      readonly job: Job.Job
      readonly memory: WebAssembly.Memory
      readonly meeting: Int32Array<SharedArrayBuffer>
    }
  | {
      readonly type: "run"
      readonly id: number
      /** Before each run of the job, what it is given anew. */
      readonly turns: ReadonlyArray<ReadonlyArray<Job.Move>>
    }
  | { readonly type: "close"; readonly id: number }
  | { readonly type: "begin"; readonly number: number; readonly device: Device; readonly port: MessagePort }
  | { readonly type: "end" }

/** From a thread; `text` is the runtime's own. */
export type FromThread = { readonly type: "done" } | { readonly type: "failed"; readonly text: string }
