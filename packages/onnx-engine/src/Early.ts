/**
 * Which parts of each pass a thread computes, and when. A part that touches only data of the thread's own graphs need not wait for other threads,
 * nor for the thread's later graphs: right after the graph that produced the data, they are still in cache.
 */
import type * as Job from "./Job.ts"
import * as Range from "./Range.ts"

/** Memory that a graph reads and writes: passes must not read what is yet to be written, nor overwrite what is yet to be read. */
export interface Touched {
  readonly reads: ReadonlyArray<Range.Range>
  readonly writes: ReadonlyArray<Range.Range>
}

/** A pass over arrays of `size` bytes; `read` and `written` are the addresses of its arrays, `numbers` those of its scalars. */
export interface Pass {
  readonly size: number
  readonly read: ReadonlyArray<number>
  readonly numbers: ReadonlyArray<number>
  readonly written: ReadonlyArray<number>
}

/** Size of a cache line in bytes. */
const line = 64

const down = (n: number): number => Math.floor(n / line) * line

const up = (n: number): number => Math.ceil(n / line) * line

/**
 * Divides a pass into shares: for each thread the parts that it computes after each of its graphs, and those after the meeting; `gathered` is moved
 * in between. A part waits for the last of the thread's own graphs that writes what it reads, or reads what it writes.
 */
export const make = (
  pass: Pass,
  graphs: ReadonlyArray<ReadonlyArray<Touched>>,
  gathered: ReadonlyArray<Job.Move>
): ReadonlyArray<Job.Share> => {
  const seams = seamsOf(pass, graphs)
  const moved = gathered.flatMap(({ from, to }) => [Range.of(from), Range.of(to)])
  return graphs.map((given, thread) => {
    const share: Range.Range = [seams[thread]!, seams[thread + 1]!]
    // A thread without a graph still takes part in passes.
    const own = given.length === 0 ? [{ reads: [], writes: [] }] : given
    const early: Array<ReadonlyArray<Range.Range>> = own.map(() => [])
    if (share[0] >= share[1]) return { early, late: [] }
    // Parts of the share, in bytes of the array at `address`, that overlap the ranges.
    const meets = (address: number, ranges: ReadonlyArray<Range.Range>) =>
      ranges.flatMap(([from, to]): ReadonlyArray<Range.Range> => {
        const met: Range.Range = [Math.max(share[0], down(from - address)), Math.min(share[1], up(to - address))]
        return met[0] < met[1] ? [met] : []
      })
    /** Parts of the share that must wait; all of it where a scalar is among what is written. */
    const waiting = ({ reads, writes }: Touched): ReadonlyArray<Range.Range> =>
      pass.numbers.some((at) => writes.some((range) => Range.overlap([at, at + 4], range)))
        ? [share]
        : Range.joined([
            ...pass.read.flatMap((address) => meets(address, writes)),
            ...pass.written.flatMap((address) => meets(address, [...writes, ...reads]))
          ])
    const others = graphs.filter((_, other) => other !== thread).flat()
    const late = waiting({
      reads: others.flatMap(({ reads }) => reads),
      writes: [...others.flatMap(({ writes }) => writes), ...moved]
    })
    let left = Range.without(share, late)
    for (let last = own.length - 1; last > 0 && left.length > 0; last--) {
      const behind = waiting(own[last]!)
      const earlier = left.flatMap((range) => Range.without(range, behind))
      early[last] = left.flatMap((range) => Range.without(range, earlier))
      left = earlier
    }
    return { early: early.with(0, left), late }
  })
}

/** Boundaries of the shares: those in which the graphs computed one of the arrays, if they did, else at equal lengths. */
const seamsOf = ({ read, size }: Pass, graphs: ReadonlyArray<ReadonlyArray<Touched>>): ReadonlyArray<number> => {
  const threads = graphs.length
  for (const address of read) {
    const starts = graphs.map((own) => {
      const writes = own.flatMap((graph) => graph.writes)
      const within = writes.filter((range) => Range.overlap(range, [address, address + size]))
      return Math.min(...within.map(([from]) => down(Math.max(0, from - address))))
    })
    const isDivided = starts.every((start, i) => Number.isFinite(start) && (i === 0 || start > starts[i - 1]!))
    if (isDivided && threads > 1) return [0, ...starts.slice(1), size]
  }
  const share = up(size / threads)
  return Array.from({ length: threads + 1 }, (_, i) => Math.min(i * share, size))
}
