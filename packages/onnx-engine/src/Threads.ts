/**
 * The threads of an engine: where they come from, and how they are asked.
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
  /** Does it once for each turn, which begins with what it is given anew. */
  readonly run: (turns: ReadonlyArray<ReadonlyArray<Job.Move>>) => Effect.Effect<void, ThreadFailed>
  readonly close: Effect.Effect<void>
}

/** The threads of an engine, which its sessions share. */
export interface Threads {
  /** How many there may be: one for each core. */
  readonly most: number
  /** Makes a job ready in the memory that its places are in. */
  readonly open: (job: Job.Job, memory: WebAssembly.Memory) => Effect.Effect<Opened, ThreadFailed>
}

type Done = (failed?: ThreadFailed) => void

interface Thread {
  readonly ask: (message: ToThread, done: Done) => void
}

const stopped = "a thread stopped in the middle of its work; resume from the last checkpoint"

/** A thread at the other end of a port; `onGone` hears of its end. */
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
  // A thread that is started says that it exits; the port to one that another started closes.
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

/** Asks all and waits for all; the first failure is theirs. */
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
 * The first thread that the process has had, for it has the runtime's first session: what that takes for zero, it and all threads that it begins take
 * for zero, and no later one can be told to. So it outlives its engine, and begins the threads of those that come after.
 */
let founder: Worker | undefined

/** So many begin at once; a job on a single one is as frequent as one that they share. */
const early = 2

/** Threads that end with the scope; more than the first begin when a job first needs them. */
export const make = Effect.fnUntraced(function* (device: Device): Effect.fn.Return<Threads, never, Scope.Scope> {
  const threads: Array<Thread> = []
  /** Of each job its meeting, and how many take part. */
  const meetings = new Map<Int32Array<SharedArrayBuffer>, number>()
  let jobs = 0
  let broken: ThreadFailed | undefined
  let own: Worker | undefined
  const gone = (number: number) => () => {
    for (const [meeting, count] of meetings) if (number < count) Meeting.leave(meeting)
  }
  // What any model is, so that the first thread has a session.
  const trifle = yield* Effect.orDie(Graph.fromProgram(Program.fromTensors({}, { zero: Tensor.constant(0) })))
  const found = (): Thread => {
    // The library reads the process's real environment, which a thread's own copy does not reach.
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
  // A GPU is one, however many ask it.
  const most = device === "cpu" ? availableParallelism() : 1
  // These begin while the data are read and the circuit is made.
  begin(Math.min(most, early))
  return {
    most,
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
      // Where one thread cannot open its graphs, the others have opened theirs.
      yield* Effect.tapError(all(working, message), () => close)
      const run = (turns: ReadonlyArray<ReadonlyArray<Job.Move>>) =>
        Effect.suspend(() => {
          // The others would wait for the one that is gone.
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
