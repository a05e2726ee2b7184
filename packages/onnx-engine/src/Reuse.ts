/**
 * Results that only the passes after a graph read are placed where earlier results of the same thread were: what graphs hand to passes then stays
 * in cache, however many graphs there are, and takes the memory of two or three of them.
 */
import * as Early from "./Early.ts"
import type * as Job from "./Job.ts"
import type * as Region from "./Region.ts"

/** Divided work: each thread's graphs, the passes, and each thread's share of every pass. */
export interface Divided {
  readonly graphs: ReadonlyArray<ReadonlyArray<Job.Graph>>
  readonly passes: ReadonlyArray<Early.Pass>
  readonly shares: ReadonlyArray<ReadonlyArray<Job.Share>>
}

/** The same work with results moved; `elsewhere` holds, for each pass, the indices of read arrays whose address differs between calls. */
export interface Reused extends Divided {
  readonly elsewhere: ReadonlyArray<ReadonlySet<number>>
}

interface Result {
  readonly thread: number
  readonly graph: number
  readonly region: Region.Region
  readonly range: Job.Range
}

/** A result with its new address. */
interface Moved extends Result {
  readonly address: number
}

/** Bytes of each array that a pass processes at once. */
const vector = 16

/** Most arrays of a pass whose address may differ between calls: a function takes at most 1,000 parameters. */
const mostVarying = 900

/** Moves results to where earlier ones were, except those that overlap `kept` regions, which outlive the passes. */
export const make = ({ graphs, passes, shares }: Divided, kept: ReadonlyArray<Region.Region>): Reused => {
  const lasting = kept.map(Early.rangeOf)
  /** Index of the graph of its thread after which a result is last read; undefined where it has other readers. */
  const lastRead = ({ range, thread }: Result): number | undefined => {
    let last: number | undefined
    for (const [i, { numbers, read, size }] of passes.entries()) {
      if (numbers.some((at) => Early.overlap([at, at + 4], range))) return undefined
      for (const address of read.filter((from) => Early.overlap([from, from + size], range))) {
        if (read.length > mostVarying || range.some((edge) => (edge - address) % vector !== 0)) return undefined
        const isRead = ([from, to]: Job.Call) => Early.overlap([address + from, address + to], range)
        for (const [reader, { early, late }] of shares[i]!.entries()) {
          const behind = early.findLastIndex((calls) => calls.some(isRead))
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
      Object.values(fetches).flatMap((region): ReadonlyArray<Moved> => {
        const result: Result = { thread, graph, region, range: Early.rangeOf(region) }
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
  const addresses = new Map(moved.map(({ address, region }) => [region, address]))
  const isIn = ({ read, size }: Early.Pass, i: number, { range }: Moved) =>
    Early.overlap([read[i]!, read[i]! + size], range)
  const elsewhere = passes.map(
    (pass) => new Set([...pass.read.keys()].filter((i) => moved.some((one) => isIn(pass, i, one))))
  )
  /** Splits a call into several, each of which reads every array from one region. */
  const found = (pass: Early.Pass, arrays: ReadonlySet<number>, own: ReadonlyArray<Moved>) => {
    const within = [...arrays].map((i) => ({ address: pass.read[i]!, among: own.filter((one) => isIn(pass, i, one)) }))
    return ([from, to]: Job.Call): ReadonlyArray<Job.Call> => {
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
          Object.entries(graph.fetches).map(([name, region]) => [
            name,
            { ...region, address: addresses.get(region) ?? region.address }
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
          early: early.map((calls) => calls.flatMap(split)),
          late: late.flatMap(found(passes[i]!, elsewhere[i]!, []))
        }
      })
    ),
    elsewhere
  }
}

const lengthOf = ([from, to]: Job.Range): number => to - from
