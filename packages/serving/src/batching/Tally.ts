/**
 * Counts the work of a model version, by request and by execution.
 */
import { type BatchStatistics, type Duration, type InferenceStatistics, latencyBounds } from "../ModelStatistics.ts"

type Part = "compute_input" | "compute_infer" | "compute_output"
type Durations<K extends string> = Record<K, { count: number; ns: number }>

const parts = ["compute_input", "compute_infer", "compute_output"] as const
const none = () => ({ count: 0, ns: 0 })
const noParts = (): Durations<Part> => ({ compute_input: none(), compute_infer: none(), compute_output: none() })

const add = (duration: { count: number; ns: number }, ns: number, count = 1) => {
  duration.count += count
  duration.ns += ns
}

/** Number of rows up to which every batch size is counted separately. */
const exact = 256

/** The batch size that an execution is counted under: its own, or the next power of two. */
const sizeOf = (rows: number): number => (rows <= exact ? rows : 2 ** Math.ceil(Math.log2(rows)))

/** Nanoseconds spent in each part of an execution. */
export type Spent = Readonly<Record<Part, number>>

/** The counts so far. */
export interface Counts {
  readonly last_inference: number
  readonly inference_count: number
  readonly execution_count: number
  readonly inference_stats: InferenceStatistics
  readonly batch_stats: ReadonlyArray<BatchStatistics>
  readonly latencies: ReadonlyArray<number>
}

/** Makes a tally that starts at zero. */
export const make = () => {
  const requests: Durations<"success" | "fail" | "queue" | Part> = {
    success: none(),
    fail: none(),
    queue: none(),
    ...noParts()
  }
  const bySize = new Map<number, Durations<Part>>()
  const latencies = latencyBounds.map(() => 0)
  let [lastInference, rows, executions] = [0, 0, 0]
  return {
    /** Counts one execution of `size` rows for `count` requests. */
    executed: (size: number, count: number, spent: Spent, now: number) => {
      executions += 1
      rows += size
      lastInference = now
      const counted = sizeOf(size)
      const batch = bySize.get(counted) ?? noParts()
      bySize.set(counted, batch)
      for (const part of parts) {
        add(batch[part], spent[part])
        add(requests[part], spent[part] * count, count)
      }
    },
    succeeded: (queueNs: number, wholeNs: number) => {
      add(requests.queue, queueNs)
      add(requests.success, wholeNs)
      // Those beyond the last bound are the total less all the others.
      const bound = latencyBounds.findIndex((millis) => wholeNs <= millis * 1e6)
      if (bound >= 0) latencies[bound]! += 1
    },
    failed: (wholeNs: number) => add(requests.fail, wholeNs),
    counts: (): Counts => ({
      last_inference: lastInference,
      inference_count: rows,
      execution_count: executions,
      inference_stats: structuredClone<Record<keyof InferenceStatistics, Duration>>(requests),
      batch_stats: [...bySize]
        .sort(([a], [b]) => a - b)
        .map(([batch_size, spent]) => ({ batch_size, ...structuredClone(spent) })),
      latencies: [...latencies]
    })
  }
}
