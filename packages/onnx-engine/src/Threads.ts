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
export class ThreadFailed extends Schema.TaggedError<ThreadFailed>()("ThreadFailed", {
  reason: Schema.String,
  /** Whether the thread is gone, and with it what it had made ready. */
  isGone: Schema.Boolean
}) {
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

type Ask = (message: ToThread) => Effect.Effect<void, ThreadFailed>

const stopped = "a thread stopped in the middle of its work; resume from the last checkpoint"

const start = (data: ThreadData): Ask => {
  // The library reads the process's real environment, which a thread's own copy does not reach.
  process.env.ORT_DISABLE_TELEMETRY = "1"
  const worker = new Worker(new URL("./StepThread.ts", import.meta.url), { workerData: data })
  const waiting: Array<Resume> = []
  let [last, isGone] = ["", false]
  const gone = () => Effect.fail(new ThreadFailed({ isGone, reason: last === "" ? stopped : `${stopped} (${last})` }))
  worker.on("message", (message: FromThread) =>
    waiting.shift()?.(
      message.type === "done" ? Effect.void : Effect.fail(new ThreadFailed({ isGone, reason: message.text }))
    )
  )
  worker.on("error", (error) => {
    last = error instanceof Error ? error.message : String(error)
  })
  worker.on("exit", () => {
    isGone = true
    Meeting.leave(data.meeting)
    for (const resume of waiting.splice(0)) resume(gone())
  })
  return (message) =>
    Effect.callback((resume) => {
      if (isGone) return resume(gone())
      waiting.push(resume)
      worker.postMessage(message)
    })
}

/** Threads that begin when they are needed. */
export const make = Effect.fnUntraced(function* (arena: Arena.Arena): Effect.fn.Return<Threads, never, Scope.Scope> {
  const meeting = Meeting.memory()
  const threads: Array<Ask> = []
  let jobs = 0
  let broken: ThreadFailed | undefined
  const all = (asks: ReadonlyArray<Ask>, message: ToThread) =>
    Effect.forEach(asks, (ask) => ask(message), { concurrency: "unbounded", discard: true })
  yield* Effect.addFinalizer(() =>
    Effect.forEach(threads, (ask) => Effect.ignore(ask({ type: "end" })), { concurrency: "unbounded", discard: true })
  )
  return {
    most: availableParallelism(),
    open: Effect.fnUntraced(function* (job) {
      const id = jobs++
      while (threads.length < job.graphs.length) {
        threads.push(start({ number: threads.length, memory: arena.memory, meeting }))
      }
      const own = threads.slice(0, job.graphs.length)
      yield* all(own, { type: "open", id, job })
      const run = Effect.suspend(() => {
        // The others would wait for the one that is gone.
        if (broken !== undefined) return Effect.fail(broken)
        Meeting.begin(meeting)
        return Effect.tapError(all(own, { type: "run", id }), (error) =>
          Effect.sync(() => {
            if (error.isGone) broken = error
          })
        )
      })
      return { run, close: Effect.ignore(all(own, { type: "close", id })) }
    })
  }
})
