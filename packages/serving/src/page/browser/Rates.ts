/**
 * What happened between two readings of the statistics, which only ever count up.
 */

interface Duration {
  readonly count: number
  readonly ns: number
}

/** The part of a version's statistics that the page reads. */
export interface Statistics {
  readonly name: string
  readonly version: string
  readonly inference_count: number
  readonly execution_count: number
  readonly inference_stats: { readonly success: Duration; readonly fail: Duration; readonly queue: Duration }
  readonly queue: { readonly waiting: number; readonly refused: number }
}

/** A model's rates at its last moment, over all its versions; without requests there is no latency and no batch. */
export interface Rates {
  /** Number of requests per second that were answered, that failed, and that were refused because the queue was full. */
  readonly answered: number
  readonly failed: number
  readonly refused: number
  /** Mean milliseconds of an answer, and the part of them spent in the queue. */
  readonly latency: number | undefined
  readonly queued: number | undefined
  /** Number of requests waiting now. */
  readonly waiting: number
  /** Mean number of rows per execution. */
  readonly batch: number | undefined
}

interface Counts {
  answered: number
  failed: number
  refused: number
  ns: number
  queueNs: number
  rows: number
  executions: number
  waiting: number
}

const nothing: Counts = { answered: 0, failed: 0, refused: 0, ns: 0, queueNs: 0, rows: 0, executions: 0, waiting: 0 }

const counts = ({ inference_stats: { success, fail, queue }, ...it }: Statistics): Counts => ({
  answered: success.count,
  failed: fail.count,
  refused: it.queue.refused,
  ns: success.ns,
  queueNs: queue.ns,
  rows: it.inference_count,
  executions: it.execution_count,
  waiting: it.queue.waiting
})

const keys = ["answered", "failed", "refused", "ns", "queueNs", "rows", "executions"] as const

/** A reloaded version counts from zero again: all that it has counted is new. */
const since = (before: Statistics | undefined, after: Statistics): Counts => {
  const now = counts(after)
  const then = before && counts(before)
  if (then === undefined || keys.some((key) => now[key] < then[key])) return now
  for (const key of keys) now[key] -= then[key]
  return now
}

const share = (part: number, whole: number): number | undefined => (whole > 0 ? part / whole : undefined)

const id = ({ name, version }: Statistics): string => `${version} ${name}`

/** Every model's rates between two readings, `seconds` apart. */
export const between = (
  before: ReadonlyArray<Statistics>,
  after: ReadonlyArray<Statistics>,
  seconds: number
): ReadonlyMap<string, Rates> => {
  const known = new Map(before.map((each) => [id(each), each]))
  const sums = new Map<string, Counts>()
  for (const each of after) {
    const sum = sums.get(each.name) ?? { ...nothing }
    const more = since(known.get(id(each)), each)
    for (const key of [...keys, "waiting"] as const) sum[key] += more[key]
    sums.set(each.name, sum)
  }
  const rates = ({ answered, failed, refused, ns, queueNs, rows, executions, waiting }: Counts): Rates => ({
    answered: answered / seconds,
    failed: failed / seconds,
    refused: refused / seconds,
    latency: share(ns / 1e6, answered),
    queued: share(queueNs / 1e6, answered),
    waiting,
    batch: share(rows, executions)
  })
  return new Map([...sums].map(([name, sum]) => [name, rates(sum)]))
}
