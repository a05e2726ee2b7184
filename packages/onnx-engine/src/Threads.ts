/**
 * The threads of a session. They begin when a job first needs them and end with the scope.
 */
import { availableParallelism } from "node:os"
import { Worker } from "node:worker_threads"
import { Effect, Schema, type Scope } from "effect"
import type * as Arena from "./Arena.ts"
import type * as Job from "./Job.ts"
import * as Meeting from "./Meeting.ts"
import type { FromThread, ThreadData, ToThread } from "./Message.ts"

/** A thread that could not do its part, or stopped in the middle of it. */
export class ThreadFailed extends Schema.TaggedError<ThreadFailed>()("ThreadFailed", { reason: Schema.String }) {
  override get message(): string {
    return this.reason
  }
}

/** A job that all its threads have made ready. */
export interface Opened {
  /** Does it once. */
  readonly run: Effect.Effect<void, ThreadFailed>
  readonly close: Effect.Effect<void>
}

/** Threads over one memory. */
export interface Threads {
  /** How many there may be: one for each core. */
  readonly most: number
  readonly open: (job: Job.Job) => Effect.Effect<Opened, ThreadFailed>
}

type Resume = (answer: Effect.Effect<void, ThreadFailed>) => void

interface Thread {
  readonly ask: (message: ToThread) => Effect.Effect<void, ThreadFailed>
  readonly stop: () => void
}

const stopped = "a thread that computed stopped in the middle of its work; the last checkpoint is kept, resume from it"

const start = (data: ThreadData, onStop: () => void): Thread => {
  // The library reads the process's real environment, which a thread's own copy does not reach.
  process.env.ORT_DISABLE_TELEMETRY = "1"
  const worker = new Worker(new URL("./StepThread.ts", import.meta.url), { workerData: data })
  const waiting: Array<Resume> = []
  let reason: string | undefined
  worker.on("message", (message: FromThread) =>
    waiting.shift()?.(message.type === "done" ? Effect.void : Effect.fail(new ThreadFailed({ reason: message.text })))
  )
  worker.on("error", (error) => {
    reason = error instanceof Error ? error.message : String(error)
  })
  worker.on("exit", () => {
    reason = reason === undefined ? stopped : `${stopped} (${reason})`
    for (const resume of waiting.splice(0)) resume(Effect.fail(new ThreadFailed({ reason })))
    onStop()
  })
  return {
    ask: (message) =>
      Effect.callback((resume) => {
        if (reason !== undefined) return resume(Effect.fail(new ThreadFailed({ reason })))
        waiting.push(resume)
        worker.postMessage(message)
      }),
    stop: () => void worker.terminate()
  }
}

/** Threads that begin when they are needed. */
export const make = Effect.fnUntraced(function* (arena: Arena.Arena): Effect.fn.Return<Threads, never, Scope.Scope> {
  const meeting = Meeting.memory()
  const threads: Array<Thread> = []
  let ending = false
  let jobs = 0
  // Whoever waits for a thread that is gone would wait for ever.
  const stopAll = () => {
    if (!ending) for (const { stop } of threads) stop()
    ending = true
  }
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      ending = true
      return Effect.forEach(threads, ({ ask }) => Effect.ignore(ask({ type: "end" })), {
        concurrency: "unbounded",
        discard: true
      })
    })
  )
  return {
    most: availableParallelism(),
    open: Effect.fnUntraced(function* (job) {
      const id = jobs++
      while (threads.length < job.graphs.length) {
        threads.push(start({ number: threads.length, memory: arena.memory, meeting }, stopAll))
      }
      const own = threads.slice(0, job.graphs.length)
      const ask = (message: ToThread) =>
        Effect.forEach(own, (thread) => thread.ask(message), { concurrency: "unbounded", discard: true })
      yield* ask({ type: "open", id, job })
      const run = Effect.suspend(() => {
        Meeting.begin(meeting)
        return ask({ type: "run", id })
      })
      return { run, close: Effect.ignore(ask({ type: "close", id })) }
    })
  }
})
