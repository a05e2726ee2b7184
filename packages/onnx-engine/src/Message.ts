/**
 * What an engine's session and its threads say to each other; each message to a thread is answered by one from it, in order.
 */
/// <reference path="./webassembly.d.ts" />
import type * as Job from "./Job.ts"

/** What a thread is started with: its number from 0, the memory, and where it meets the others. */
export interface ThreadData {
  readonly number: number
  readonly memory: WebAssembly.Memory
  readonly meeting: Int32Array<SharedArrayBuffer>
}

/** To a thread: make a job ready, do it once, forget it; and come to an end. */
export type ToThread =
  | { readonly type: "open"; readonly id: number; readonly job: Job.Job }
  | { readonly type: "run" | "close"; readonly id: number }
  | { readonly type: "end" }

/** From a thread; `text` is the runtime's own. */
export type FromThread = { readonly type: "done" } | { readonly type: "failed"; readonly text: string }
