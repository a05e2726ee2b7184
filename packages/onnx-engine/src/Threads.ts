/**
 * The threads of an engine: how they are started and asked to work.
 */
/// <reference path="./webassembly.d.ts" />
import { availableParallelism } from "node:os"
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads"
import { Program, Tensor, version } from "@rai/core"
import { Graph, Model } from "@rai/export"
import { Effect, Schema, type Scope } from "effect"
import type * as Job from "./Job.ts"
import * as Meeting from "./Meeting.ts"
import type { Device, FromThread, ThreadData, ToThread } from "./Message.ts"

/** A thread that could not do its part, or stopped while doing it. */
export class ThreadFailed extends Schema.TaggedError<ThreadFailed>()("ThreadFailed", {
  reason: Schema.String,
  /** Whether the thread is gone, and with it everything that it had prepared. */
  isGone: Schema.Boolean
}) {
  override get message(): string {
    return this.reason
  }
}

/** A job that all its threads have prepared. */
export interface Opened {
  /** Runs it once per turn, each beginning with the copies of its new inputs. */
  readonly run: (turns: ReadonlyArray<ReadonlyArray<Job.Move>>) => Effect.Effect<void, ThreadFailed>
  readonly close: Effect.Effect<void>
}

/** The threads of an engine, which its sessions share. */
export interface Threads {
  /** Most threads that a job may have: one per core. */
  readonly limit: number
  /** Prepares a job in the memory that its regions are in. */
  readonly open: (job: Job.Job, memory: WebAssembly.Memory) => Effect.Effect<Opened, ThreadFailed>
}

type Done = (failed?: ThreadFailed) => void

interface Thread {
  readonly ask: (message: ToThread, done: Done) => void
}

const stopped = "a thread stopped in the middle of its work; resume from the last checkpoint"

/** A thread at the other end of a port; `onGone` is called when it ends. */
const at = (port: Worker | MessagePort, onGone: () => void): Thread => {
  const waiting: Array<Done> = []
  let [last, isGone] = ["", false]
  const gone = () => new ThreadFailed({ isGone, reason: last === "" ? stopped : `${stopped} (${last})` })
  port.on("message", (message: FromThread) =>
    waiting.shift()?.(message.type === "done" ? undefined : new ThreadFailed({ isGone, reason: message.text }))
  )
  port.on("error", (error: unknown) => {
    last = error instanceof Error ? error.message : String(error)
  })
  // A thread started here emits `exit`; for one that another thread started, its port closes.
  port.on(port instanceof Worker ? "exit" : "close", () => {
    isGone = true
    onGone()
    for (const done of waiting.splice(0)) done(gone())
  })
  return {
    ask: (message, done) => {
      if (isGone) return done(gone())
      waiting.push(done)
      port.postMessage(message)
    }
  }
}

/** Sends a message to all threads and waits for all answers; fails with the first failure. */
const all = (threads: ReadonlyArray<Thread>, message: ToThread): Effect.Effect<void, ThreadFailed> =>
  Effect.callback((resume) => {
    let left = threads.length
    let first: ThreadFailed | undefined
    if (left === 0) return resume(Effect.void)
    for (const { ask } of threads) {
      ask(message, (failed) => {
        first ??= failed
        left--
        if (left === 0) resume(first === undefined ? Effect.void : Effect.fail(first))
      })
    }
  })

/**
 * The process's first thread, which has the runtime's first session: only that session's setting to treat denormals as zero takes effect, on its
 * thread and the threads that this one starts. So it outlives its engine, and starts the threads of later engines.
 */
let founder: Worker | undefined

/** Number of threads that start with the engine; jobs on a single thread are as frequent as shared ones. */
const startedAtOnce = 2

/** Creates threads that end with the scope; beyond the first ones, they start when a job first needs them. */
export const make = Effect.fnUntraced(function* (device: Device): Effect.fn.Return<Threads, never, Scope.Scope> {
  const threads: Array<Thread> = []
  /** The meeting of each job, and its number of participants. */
  const meetings = new Map<Int32Array<SharedArrayBuffer>, number>()
  let jobs = 0
  let broken: ThreadFailed | undefined
  let own: Worker | undefined
  const gone = (number: number) => () => {
    for (const [meeting, count] of meetings) if (number < count) Meeting.leave(meeting)
  }
  // A trivial model, so that the first thread has a session.
  const trifle = yield* Effect.orDie(Graph.fromProgram(Program.fromTensors({}, { zero: Tensor.constant(0) })))
  const found = (): Thread => {
    // The library reads the process's real environment, which a thread's own copy does not affect.
    process.env.ORT_DISABLE_TELEMETRY = "1"
    const data: ThreadData = { number: 0, device, model: Model.encode(trifle, { version, metadata: {} }) }
    const worker = new Worker(new URL("./StepThread.ts", import.meta.url), { workerData: data })
    worker.once("exit", () => {
      if (founder === worker) founder = undefined
    })
    founder = own = worker
    return at(worker, gone(0))
  }
  const another = (number: number, by: Worker): Thread => {
    const { port1, port2 } = new MessageChannel()
    const message: ToThread = { type: "begin", number, device, port: port2 }
    by.postMessage(message, [port2])
    return at(port1, gone(number))
  }
  const begin = (count: number): ReadonlyArray<Thread> => {
    while (threads.length < count) threads.push(founder === undefined ? found() : another(threads.length, founder))
    return threads.slice(0, count)
  }
  yield* Effect.addFinalizer(() =>
    Effect.ensuring(
      Effect.ignore(all(threads.toReversed(), { type: "end" })),
      Effect.sync(() => own?.unref())
    )
  )
  // There is one GPU, however many threads use it.
  const limit = device === "cpu" ? availableParallelism() : 1
  // These start while the data are read and the circuit is built.
  begin(Math.min(limit, startedAtOnce))
  return {
    limit,
    open: Effect.fnUntraced(function* (job, memory) {
      const id = jobs++
      const meeting = Meeting.memory(job.graphs.length)
      meetings.set(meeting, job.graphs.length)
      const message: ToThread = { type: "open", id, job, memory, meeting }
      const working = begin(job.graphs.length)
      const close = Effect.suspend(() => {
        meetings.delete(meeting)
        return Effect.ignore(all(working, { type: "close", id }))
      })
      // If one thread cannot open its graphs, the others have already opened theirs.
      yield* Effect.tapError(all(working, message), () => close)
      const run = (turns: ReadonlyArray<ReadonlyArray<Job.Move>>) =>
        Effect.suspend(() => {
          // The others would wait for the thread that is gone.
          if (broken !== undefined) return Effect.fail(broken)
          Meeting.begin(meeting)
          return Effect.tapError(all(working, { type: "run", id, turns }), (error) =>
            Effect.sync(() => {
              if (error.isGone) broken = error
            })
          )
        })
      return { run, close }
    })
  }
})
