/**
 * Messages between an engine and its threads; each message to a thread except `begin` is answered by one from it, in order.
 */
/// <reference path="./webassembly.d.ts" />
import type { MessagePort } from "node:worker_threads"
import type * as Job from "./Job.ts"

/**
 * Start data of a thread: its number from 0, and the port it listens on; the process's first thread listens to its parent instead, and gets a model
 * to open first.
 */
export interface ThreadData {
  readonly number: number
  readonly port?: MessagePort
  readonly model?: Uint8Array
  readonly device: Device
}

/** Where graphs are computed; passes always run on the CPU. */
export type Device = "cpu" | "cuda"

/**
 * To a thread: prepare a job in a memory, run it once or several times, drop it; start another thread; end, which leaves the process's first thread
 * idle.
 */
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
      /** The new inputs to copy before each run of the job. */
      readonly turns: ReadonlyArray<ReadonlyArray<Job.Move>>
    }
  | { readonly type: "close"; readonly id: number }
  | { readonly type: "begin"; readonly number: number; readonly device: Device; readonly port: MessagePort }
  | { readonly type: "end" }

/** From a thread; `text` is the runtime's own message. */
export type FromThread = { readonly type: "done" } | { readonly type: "failed"; readonly text: string }
