/**
 * Results that nobody but the passes behind a graph reads lie where earlier results of the same thread did: so what graphs hand to passes stays in a
 * cache, however many there are, and takes the memory of two or three of them.
 */
import * as Early from "./Early.ts"
import type * as Job from "./Job.ts"
import type * as Place from "./Place.ts"

/** What is done, as it is divided: graphs of each thread, passes, and of every pass each thread's share. */
export interface Divided {
  readonly graphs: ReadonlyArray<ReadonlyArray<Job.Graph>>
  readonly passes: ReadonlyArray<Early.Pass>
  readonly shares: ReadonlyArray<ReadonlyArray<Job.Share>>
}

/** The same with its results where they lie now; `elsewhere` are those of each pass's read arrays that lie elsewhere each time. */
export interface Reused extends Divided {
  readonly elsewhere: ReadonlyArray<ReadonlySet<number>>
}

interface Result {
  readonly thread: number
  readonly graph: number
  readonly place: Place.Place
  readonly range: Job.Range
}

/** Where a result lies instead. */
interface Moved extends Result {
  readonly address: number
}

/** Bytes that a pass takes at once. */
const step = 16

/** Arrays of a pass that may lie elsewhere each time: a function has room for 1,000 parameters. */
const most = 900

/** Lets results lie where earlier ones did; none that is `kept` beyond the passes. */
export const make = ({ graphs, passes, shares }: Divided, kept: ReadonlyArray<Place.Place>): Reused => {
  const lasting = kept.map(Early.rangeOf)
  /** Behind which graph of its thread a result is read for the last time; undefined of what has other readers. */
  const lastRead = ({ range, thread }: Result): number | undefined => {
    let last: number | undefined
    for (const [i, { numbers, read, size }] of passes.entries()) {
      if (numbers.some((at) => Early.overlap([at, at + 4], range))) return undefined
      for (const address of read.filter((from) => Early.overlap([from, from + size], range))) {
        if (read.length > most || range.some((edge) => (edge - address) % step !== 0)) return undefined
        const isRead = ([from, to]: Job.Stretch) => Early.overlap([address + from, address + to], range)
        for (const [reader, { early, late }] of shares[i]!.entries()) {
          const behind = early.findLastIndex((stretches) => stretches.some(isRead))
          if (late.some(isRead) || (behind >= 0 && reader !== thread)) return undefined
          if (behind >= 0) last = Math.max(last ?? 0, behind)
        }
      }
    }
    return last === undefined || lasting.some((other) => Early.overlap(other, range)) ? undefined : last
  }
  const moved = graphs.flatMap((own, thread) => {
    const slots: Array<{ readonly range: Job.Range; until: number }> = []
    return own.flatMap(({ fetches }, graph) =>
      Object.values(fetches).flatMap((place): ReadonlyArray<Moved> => {
        const result: Result = { thread, graph, place, range: Early.rangeOf(place) }
        const last = own.length > 1 ? lastRead(result) : undefined
        if (last === undefined) return []
        const free = slots.find(({ range, until }) => until < graph && lengthOf(range) >= lengthOf(result.range))
        if (free === undefined) {
          slots.push({ range: result.range, until: last })
          return []
        }
        free.until = last
        return [{ ...result, address: free.range[0] }]
      })
    )
  })
  const addresses = new Map(moved.map(({ address, place }) => [place, address]))
  const isIn = ({ read, size }: Early.Pass, i: number, { range }: Moved) =>
    Early.overlap([read[i]!, read[i]! + size], range)
  const elsewhere = passes.map(
    (pass) => new Set([...pass.read.keys()].filter((i) => moved.some((one) => isIn(pass, i, one))))
  )
  /** A stretch in pieces, each of which finds what it reads in one place. */
  const found = (pass: Early.Pass, arrays: ReadonlySet<number>, own: ReadonlyArray<Moved>) => {
    const within = [...arrays].map((i) => ({ address: pass.read[i]!, among: own.filter((one) => isIn(pass, i, one)) }))
    return ([from, to]: Job.Stretch): ReadonlyArray<Job.Stretch> => {
      const edges = within.flatMap(({ address, among }) =>
        among.flatMap(({ range }) => range.map((edge) => edge - address))
      )
      const cuts = [...new Set([from, ...edges.filter((edge) => from < edge && edge < to), to])].sort((a, b) => a - b)
      return cuts.slice(1).map((end, piece) => {
        const start = cuts[piece]!
        const at = within.map(({ address, among }) => {
          const there = among.find(({ range }) => Early.overlap(range, [address + start, address + end]))
          return there === undefined ? address : address + there.address - there.range[0]
        })
        return [start, end, ...at]
      })
    }
  }
  return {
    graphs: graphs.map((own) =>
      own.map((graph) => ({
        ...graph,
        fetches: Object.fromEntries(
          Object.entries(graph.fetches).map(([name, place]) => [
            name,
            { ...place, address: addresses.get(place) ?? place.address }
          ])
        )
      }))
    ),
    passes,
    shares: shares.map((of, i) =>
      of.map(({ early, late }, thread) => {
        const own = moved.filter((one) => one.thread === thread)
        const split = found(passes[i]!, elsewhere[i]!, own)
        return {
          early: early.map((stretches) => stretches.flatMap(split)),
          late: late.flatMap(found(passes[i]!, elsewhere[i]!, []))
        }
      })
    ),
    elsewhere
  }
}

const lengthOf = ([from, to]: Job.Range): number => to - from
