/**
 * A thread that does its part of each run: onnxruntime and the passes compute synchronously, so on the main thread they would block everything
 * else.
 */
/// <reference path="./webassembly.d.ts" />
import { type MessagePort, parentPort, Worker, workerData } from "node:worker_threads"
import { env, InferenceSession, Tensor } from "@rai/onnxruntime"
import type * as Job from "./Job.ts"
import * as Meeting from "./Meeting.ts"
import type { Device, FromThread, ThreadData, ToThread } from "./Message.ts"
import * as Region from "./Region.ts"
import * as Unconverted from "./Unconverted.ts"

const { device, model, number, port = parentPort! } = workerData as ThreadData

// Errors are reported by messages; the runtime's own lines on stderr would repeat them, with paths.
env.logLevel = "fatal"

const options = {
  executionProviders: [device],
  logSeverityLevel: 4,
  // Vanishing gradients become denormal numbers, each of which takes a processor a hundred times as long. The runtime makes the thread of its first
  // session treat them as zero, and the threads which that thread starts inherit it.
  extra: { session: { set_denormal_as_zero: "1" } }
} satisfies InferenceSession.SessionOptions

type Pass = (...call: Job.Call) => void

/** Bytes of each array per piece of work that threads may take from each other: some tens of microseconds. */
const bytesOfPiece = 2 ** 17

const pieces = ([from, to, ...at]: Job.Call): ReadonlyArray<Job.Call> =>
  Array.from({ length: Math.ceil((to - from) / bytesOfPiece) }, (_, i): Job.Call => {
    const start = from + i * bytesOfPiece
    return [start, Math.min(start + bytesOfPiece, to), ...at]
  })

/** A prepared job: graphs opened, passes compiled, every region that this thread reads or writes wrapped once. */
interface Ready {
  readonly run: (turns: ReadonlyArray<ReadonlyArray<Job.Move>>) => Promise<void>
  readonly end: () => Promise<void>
}

type Open = Extract<ToThread, { readonly type: "open" }>

const open = async ({
  job: { gathers, graphs, module, moves, passes },
  meeting: shared,
  memory
}: Open): Promise<Ready> => {
  const tensors = (regions: Readonly<Record<string, Region.Region>>): Record<string, Tensor> =>
    Object.fromEntries(
      Object.entries(regions).map(([name, region]) => [
        name,
        new Tensor(region.kind as "float32", Region.view(memory.buffer, region) as Float32Array, region.shape)
      ])
    )
  const move = ({ from, to }: Job.Move): void =>
    void new Uint8Array(memory.buffer).copyWithin(to.address, from.address, from.address + Region.bytes(from))
  const functions = module && new WebAssembly.Instance(new WebAssembly.Module(module), { rai: { memory } }).exports
  const calls = (of: (share: Job.Share) => ReadonlyArray<Job.Call>, thread: number) =>
    passes.flatMap((shares, i) => {
      const pass = functions![i] as Pass
      return of(shares[thread]!).map((call) => () => pass(...call))
    })
  const own = graphs[number]!.map(({ feeds, fetches, model }, i, { length }) => {
    const [given, results] = [tensors(feeds), { [Unconverted.name]: null, ...tensors(fetches) }]
    return {
      compute: () => sessions.get(model)!.run(given, results),
      // After the last graph, any thread may do them.
      passes: i === length - 1 ? [] : calls(({ early }) => early[i]!, number)
    }
  })
  const meeting = Meeting.make(
    shared,
    number,
    graphs.map((_, thread) => calls(({ early }) => early.at(-1)!.flatMap(pieces), thread))
  )
  const moved = (moves: ReadonlyArray<Job.Move>) => moves.map((one) => () => move(one))
  const late = graphs.map((_, thread) => calls(({ late }) => late, thread))
  const lateBytes = passes
    .flat()
    .flatMap((share) => share.late)
    .reduce((bytes, [from, to]) => bytes + to - from, 0)
  const first = (work: ReadonlyArray<() => void>) => ({ length: work.length, own: number === 0 ? work : [] })
  const [before, after] = [moved(gathers), moved(moves)]
  const alone = [...before, ...late.flat(), ...after]
  /**
   * Work that remains after the graphs and early parts, in stages before each of which all threads meet: gathers, passes, updates of the state and
   * the next turn's inputs. The first thread does it all where the others would do little but meet.
   */
  const left = (next: ReadonlyArray<Job.Move>): ReadonlyArray<ReadonlyArray<() => void>> => {
    const stages =
      lateBytes <= bytesOfPiece
        ? [first([...alone, ...moved(next)])]
        : [first(before), { length: lateBytes, own: late[number]! }, first([...after, ...moved(next)])]
    return stages.flatMap(({ length, own }) => (length > 0 ? [own] : []))
  }
  // Last, so that nothing that fails here leaves them open.
  const sessions = await sessionsOf(graphs[number]!)
  return {
    run: async (turns) => {
      let failed: unknown
      /** A failure here must not keep the others waiting. */
      const fail = (error: unknown) => {
        failed = error
        meeting.fail()
      }
      const all = (work: ReadonlyArray<() => void>) => {
        if (meeting.failed()) return
        try {
          for (const one of work) one()
        } catch (error) {
          fail(error)
        }
      }
      const compute = async (one: (typeof own)[number]) => {
        try {
          if (!meeting.failed()) await one.compute()
        } catch (error) {
          if (!Unconverted.isReached(error)) fail(error)
        }
        all(one.passes)
      }
      // Even after a failure, every thread meets as often as the others.
      for (const [turn, given] of turns.entries()) {
        if (turn === 0 && number === 0) all(moved(given))
        if (turn > 0 || given.length > 0) meeting.meet()
        for (const one of own) await compute(one)
        try {
          meeting.work()
        } catch (error) {
          fail(error)
        }
        for (const work of left(turns[turn + 1] ?? [])) {
          meeting.meet()
          all(work)
        }
      }
      if (failed !== undefined) throw failed
    },
    end: () => release(sessions)
  }
}

type Sessions = Map<Uint8Array, InferenceSession>

/** Opens a session for each model of the graphs; where one cannot be opened, the others are released. */
const sessionsOf = async (graphs: ReadonlyArray<Job.Graph>): Promise<Sessions> => {
  const sessions: Sessions = new Map()
  try {
    for (const { awake, keeps, model, optimize, threads } of graphs) {
      if (sessions.has(model)) continue
      const session = await InferenceSession.create(model, {
        ...options,
        extra: { session: { ...options.extra.session, intra_op: { allow_spinning: awake ? "1" : "0" } } },
        intraOpNumThreads: threads,
        enableCpuMemArena: keeps,
        graphOptimizationLevel: optimize ? "all" : "disabled"
      })
      sessions.set(model, session)
    }
    return sessions
  } catch (error) {
    await release(sessions)
    throw error
  }
}

const release = async (sessions: Sessions): Promise<void> => {
  for (const session of sessions.values()) await session.release()
}

const say = (message: FromThread) => port.postMessage(message)

const begin = (other: number, theirs: MessagePort, on: Device): void => {
  const data: ThreadData = { number: other, port: theirs, device: on }
  const worker = new Worker(new URL(import.meta.url), { workerData: data, transferList: [theirs] })
  // The other end of its port is told that it is gone; this thread goes on.
  worker.on("error", () => {})
  worker.unref()
}

const jobs = new Map<number, Ready>()

const handle = async (message: ToThread): Promise<void> => {
  switch (message.type) {
    case "open":
      return void jobs.set(message.id, await open(message))
    case "run":
      return jobs.get(message.id)!.run(message.turns)
    case "close": {
      await jobs.get(message.id)?.end()
      return void jobs.delete(message.id)
    }
    case "begin":
      return begin(message.number, message.port, message.device)
    case "end": {
      for (const job of jobs.values()) await job.end()
      jobs.clear()
      say({ type: "done" })
      if (port !== parentPort) port.close()
    }
  }
}

const ready = async () => {
  if (model !== undefined) await (await InferenceSession.create(model, { ...options, intraOpNumThreads: 1 })).release()
}

// If the library does not work, opening a job fails as well, and reports it.
let last = ready().catch(() => {})
port.on("message", (message: ToThread) => {
  last = last.then(async () => {
    try {
      await handle(message)
      if (message.type !== "begin" && message.type !== "end") say({ type: "done" })
    } catch (error) {
      say({ type: "failed", text: error instanceof Error ? error.message : String(error) })
    }
  })
})
