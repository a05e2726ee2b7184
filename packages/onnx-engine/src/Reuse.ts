/**
 * Results that only the passes after a graph read are placed where earlier results of the same thread were: what graphs hand to passes then stays
 * in cache, however many graphs there are, and takes the memory of two or three of them.
 */
import type * as Early from "./Early.ts"
import type * as Job from "./Job.ts"
import * as Range from "./Range.ts"
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

/** What a graph of a thread writes. */
interface Result {
  readonly thread: number
  readonly graph: number
  readonly region: Region.Region
  readonly range: Range.Range
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
export const make = (divided: Divided, kept: ReadonlyArray<Region.Region>): Reused => {
  const { graphs, passes, shares } = divided
  const lasting = kept.map(Range.of)
  const moved = graphs.flatMap((own, thread) => movedOf(own, thread, divided, lasting))
  const addresses = new Map(moved.map(({ address, region }) => [region, address]))
  const elsewhere = passes.map(
    (pass) => new Set([...pass.read.keys()].filter((i) => moved.some((one) => isRead(pass, i, one))))
  )
  const fetched = (region: Region.Region) => ({ ...region, address: addresses.get(region) ?? region.address })
  return {
    graphs: graphs.map((own) =>
      own.map((graph) => ({
        ...graph,
        fetches: Object.fromEntries(Object.entries(graph.fetches).map(([name, region]) => [name, fetched(region)]))
      }))
    ),
    passes,
    shares: shares.map((of, i) =>
      of.map(({ early, late }, thread) => {
        const own = moved.filter((one) => one.thread === thread)
        const split = splitting(passes[i]!, elsewhere[i]!, own)
        // Nothing that is read so late has been moved.
        const asTheyAre = splitting(passes[i]!, elsewhere[i]!, [])
        return { early: early.map((calls) => calls.flatMap(split)), late: late.flatMap(asTheyAre) }
      })
    ),
    elsewhere
  }
}

/** The results of a thread that are written over earlier ones of its own, which no pass reads any more. */
const movedOf = (
  own: ReadonlyArray<Job.Graph>,
  thread: number,
  divided: Divided,
  lasting: ReadonlyArray<Range.Range>
): ReadonlyArray<Moved> => {
  /** Where results have stayed, each with the graph after which the last of them is read. */
  const slots: Array<{ readonly range: Range.Range; until: number }> = []
  return own.flatMap(({ fetches }, graph) =>
    Object.values(fetches).flatMap((region): ReadonlyArray<Moved> => {
      const result: Result = { thread, graph, region, range: Range.of(region) }
      const last = own.length > 1 ? lastRead(result, divided, lasting) : undefined
      if (last === undefined) return []
      const free = slots.find(({ range, until }) => until < graph && Range.length(range) >= Range.length(result.range))
      if (free === undefined) {
        slots.push({ range: result.range, until: last })
        return []
      }
      free.until = last
      return [{ ...result, address: free.range[0] }]
    })
  )
}

/** Index of the graph of its thread after which a result is last read; undefined where it must stay, as others read it or it lasts. */
const lastRead = (
  { range, thread }: Result,
  { passes, shares }: Divided,
  lasting: ReadonlyArray<Range.Range>
): number | undefined => {
  let last: number | undefined
  for (const [i, { numbers, read, size }] of passes.entries()) {
    if (numbers.some((at) => Range.overlap([at, at + 4], range))) return undefined
    for (const address of read.filter((from) => Range.overlap([from, from + size], range))) {
      if (read.length > mostVarying || range.some((edge) => (edge - address) % vector !== 0)) return undefined
      const isWithin = ([from, to]: Job.Call) => Range.overlap([address + from, address + to], range)
      for (const [reader, { early, late }] of shares[i]!.entries()) {
        const behind = early.findLastIndex((calls) => calls.some(isWithin))
        if (late.some(isWithin) || (behind >= 0 && reader !== thread)) return undefined
        if (behind >= 0) last = Math.max(last ?? 0, behind)
      }
    }
  }
  return last === undefined || lasting.some((other) => Range.overlap(other, range)) ? undefined : last
}

/** Whether the i-th array that a pass reads takes in a result. */
const isRead = ({ read, size }: Early.Pass, i: number, { range }: Result): boolean =>
  Range.overlap([read[i]!, read[i]! + size], range)

/** Splits calls of a pass, so that each reads every one of the `arrays` from one region: a moved result, or where it was. */
const splitting = (pass: Early.Pass, arrays: ReadonlySet<number>, moved: ReadonlyArray<Moved>) => {
  const within = [...arrays].map((i) => ({
    address: pass.read[i]!,
    among: moved.filter((one) => isRead(pass, i, one))
  }))
  return ([from, to]: Job.Call): ReadonlyArray<Job.Call> => {
    const edges = within.flatMap(({ address, among }) =>
      among.flatMap(({ range }) => range.map((edge) => edge - address))
    )
    const cuts = [...new Set([from, ...edges.filter((edge) => from < edge && edge < to), to])].sort((a, b) => a - b)
    return cuts.slice(1).map((end, piece): Job.Call => {
      const start = cuts[piece]!
      const at = within.map(({ address, among }) => {
        const there = among.find(({ range }) => Range.overlap(range, [address + start, address + end]))
        return there === undefined ? address : address + there.address - there.range[0]
      })
      return [start, end, ...at]
    })
  }
}
