/**
 * What each thread does of each pass, and how much of it before the threads meet: whoever has computed its graph sooner need not wait for the
 * others with what its own graph alone has given and nobody else reads.
 */
import type * as Job from "./Job.ts"
import * as Place from "./Place.ts"

/** What passes may not do too soon: read what other threads' graphs write, or write what these read. */
export interface Touched {
  readonly reads: ReadonlyArray<Job.Range>
  readonly writes: ReadonlyArray<Job.Range>
}

/** A pass over arrays of `size` bytes; `read` and `written` are where its arrays begin, `numbers` single numbers. */
export interface Pass {
  readonly size: number
  readonly read: ReadonlyArray<number>
  readonly numbers: ReadonlyArray<number>
  readonly written: ReadonlyArray<number>
}

/** Bytes that a core takes from memory at once. */
const line = 64

/** The bytes of a place. */
export const rangeOf = (place: Place.Place): Job.Range => [place.address, place.address + Place.bytes(place)]

const down = (n: number): number => Math.floor(n / line) * line

const up = (n: number): number => Math.ceil(n / line) * line

const overlap = ([a, b]: Job.Range, [c, d]: Job.Range): boolean => a < d && c < b

/** The shares of a pass, for each thread the parts that it does before the meeting and those after it; `gathered` is moved in between. */
export const make = (
  pass: Pass,
  graphs: ReadonlyArray<Touched>,
  gathered: ReadonlyArray<Job.Move>
): ReadonlyArray<Job.Share> => {
  const seams = seamsOf(pass, graphs)
  const moved = gathered.flatMap(({ from, to }) => [rangeOf(from), rangeOf(to)])
  return graphs.map((_, thread) => {
    const own: Job.Range = [seams[thread]!, seams[thread + 1]!]
    if (own[0] >= own[1]) return { early: [], late: [] }
    const others = graphs.filter((_, other) => other !== thread)
    const [written, read] = [others.flatMap(({ writes }) => writes), others.flatMap(({ reads }) => reads)]
    const isWaiting = pass.numbers.some((at) => [...written, ...moved].some((range) => overlap([at, at + 4], range)))
    if (isWaiting) return { early: [], late: [own] }
    // In bytes of each array: where one that is read or written meets what is somebody else's.
    const meets = (address: number, ranges: ReadonlyArray<Job.Range>) =>
      ranges.flatMap(([from, to]): ReadonlyArray<Job.Range> => {
        const met: Job.Range = [Math.max(own[0], down(from - address)), Math.min(own[1], up(to - address))]
        return met[0] < met[1] ? [met] : []
      })
    const late = joined([
      ...pass.read.flatMap((address) => meets(address, [...written, ...moved])),
      ...pass.written.flatMap((address) => meets(address, [...written, ...read, ...moved]))
    ])
    return { early: without(own, late), late }
  })
}

/** Where the shares begin and end: where those of an array that the graphs have computed do, else as long as each other. */
const seamsOf = ({ read, size }: Pass, graphs: ReadonlyArray<Touched>): ReadonlyArray<number> => {
  const threads = graphs.length
  for (const address of read) {
    const starts = graphs.map(({ writes }) => {
      const within = writes.filter((range) => overlap(range, [address, address + size]))
      return Math.min(...within.map(([from]) => down(Math.max(0, from - address))))
    })
    const isDivided = starts.every((start, i) => Number.isFinite(start) && (i === 0 || start > starts[i - 1]!))
    if (isDivided && threads > 1) return [0, ...starts.slice(1), size]
  }
  const share = up(size / threads)
  return Array.from({ length: threads + 1 }, (_, i) => Math.min(i * share, size))
}

/** Ranges in order, those that touch as one. */
const joined = (ranges: ReadonlyArray<Job.Range>): ReadonlyArray<Job.Range> => {
  const done: Array<Job.Range> = []
  for (const [from, to] of ranges.toSorted(([a], [b]) => a - b)) {
    const last = done.at(-1)
    if (last === undefined || last[1] < from) done.push([from, to])
    else done[done.length - 1] = [last[0], Math.max(last[1], to)]
  }
  return done
}

/** What is left of a range without others in order. */
const without = ([start, end]: Job.Range, ranges: ReadonlyArray<Job.Range>): ReadonlyArray<Job.Range> => {
  const edges = [start, ...ranges.flat(), end]
  return Array.from({ length: ranges.length + 1 }, (_, i): Job.Range => [edges[2 * i]!, edges[2 * i + 1]!]).filter(
    ([from, to]) => from < to
  )
}
