/**
 * One thread's part of a job, prepared: graphs opened, passes compiled, every region that it reads or writes wrapped once.
 */
/// <reference path="./webassembly.d.ts" />
import { Tensor } from "@rai/onnxruntime"
import type * as Job from "./Job.ts"
import * as Meeting from "./Meeting.ts"
import type { Device, ToThread } from "./Message.ts"
import * as Region from "./Region.ts"
import * as RuntimeSessions from "./RuntimeSessions.ts"
import * as Unconverted from "./Unconverted.ts"

/** A prepared part. */
export interface Part {
  /** Runs it once for each of the turns, which begin with the copies of their new inputs. */
  readonly run: (turns: ReadonlyArray<ReadonlyArray<Job.Move>>) => Promise<void>
  readonly end: () => Promise<void>
}

/** Something to do, in the order given. */
type Work = ReadonlyArray<() => void>

type Pass = (...call: Job.Call) => void

/** Bytes of each array per piece of work that threads may take from each other: some tens of microseconds. */
const bytesOfPiece = 2 ** 17

const pieces = ([from, to, ...at]: Job.Call): ReadonlyArray<Job.Call> =>
  Array.from({ length: Math.ceil((to - from) / bytesOfPiece) }, (_, i): Job.Call => {
    const start = from + i * bytesOfPiece
    return [start, Math.min(start + bytesOfPiece, to), ...at]
  })

/** Prepares the part of the thread `number`. */
export const prepare = async (
  { job, meeting: shared, memory }: Extract<ToThread, { readonly type: "open" }>,
  number: number,
  device: Device
): Promise<Part> => {
  const { graphs, module } = job
  const functions = module && new WebAssembly.Instance(new WebAssembly.Module(module), { rai: { memory } }).exports
  const calls = (of: (share: Job.Share) => ReadonlyArray<Job.Call>, thread: number): Work =>
    job.passes.flatMap((shares, i) => {
      const pass = functions![i] as Pass
      return of(shares[thread]!).map((call) => () => pass(...call))
    })
  const own = graphs[number]!.map(({ feeds, fetches, model }, i, { length }) => {
    const [given, results] = [tensors(feeds, memory), { [Unconverted.name]: null, ...tensors(fetches, memory) }]
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
  const rest = remaining(job, number, memory, (thread) => calls(({ late }) => late, thread))
  // Last, so that nothing that fails here leaves them open.
  const sessions = await RuntimeSessions.open(graphs[number]!, device)
  return {
    run: async (turns) => {
      let failed: unknown
      /** A failure here must not keep the others waiting. */
      const fail = (error: unknown) => {
        failed = error
        meeting.fail()
      }
      const all = (work: Work) => {
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
        if (turn === 0 && number === 0) all(moved(given, memory))
        if (turn > 0 || given.length > 0) meeting.meet()
        for (const one of own) await compute(one)
        try {
          meeting.work()
        } catch (error) {
          fail(error)
        }
        for (const work of rest(turns[turn + 1] ?? [])) {
          meeting.meet()
          all(work)
        }
      }
      if (failed !== undefined) throw failed
    },
    end: () => RuntimeSessions.release(sessions)
  }
}

const tensors = (
  regions: Readonly<Record<string, Region.Region>>,
  memory: WebAssembly.Memory
): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(regions).map(([name, region]) => [
      name,
      new Tensor(region.kind as "float32", Region.view(memory.buffer, region) as Float32Array, region.shape)
    ])
  )

const moved = (moves: ReadonlyArray<Job.Move>, memory: WebAssembly.Memory): Work =>
  moves.map(
    ({ from, to }) =>
      () =>
        void new Uint8Array(memory.buffer).copyWithin(to.address, from.address, from.address + Region.bytes(from))
  )

/**
 * What remains after the graphs and the early parts of passes, given the next turn's inputs, in stages before each of which all threads meet: gathers,
 * passes, updates of the state and the next turn's inputs. The first thread does it all where the others would do little but meet.
 */
const remaining = (
  { gathers, graphs, moves, passes }: Job.Job,
  number: number,
  memory: WebAssembly.Memory,
  late: (thread: number) => Work
): ((next: ReadonlyArray<Job.Move>) => ReadonlyArray<Work>) => {
  const bytes = passes
    .flat()
    .flatMap((share) => share.late)
    .reduce((total, [from, to]) => total + to - from, 0)
  const byFirst = (work: Work) => ({ length: work.length, own: number === 0 ? work : [] })
  const [before, after] = [moved(gathers, memory), moved(moves, memory)]
  const [own, alone] = [late(number), [...before, ...graphs.flatMap((_, thread) => late(thread)), ...after]]
  return (next) => {
    const stages =
      bytes <= bytesOfPiece
        ? [byFirst([...alone, ...moved(next, memory)])]
        : [byFirst(before), { length: bytes, own }, byFirst([...after, ...moved(next, memory)])]
    return stages.flatMap((stage) => (stage.length > 0 ? [stage.own] : []))
  }
}
