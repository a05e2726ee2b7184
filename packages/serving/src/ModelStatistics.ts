/**
 * What a model version has done since it was loaded, as Triton's statistics extension counts it: durations are summed nanoseconds.
 */

/** How often, and for how long in all. */
export interface Duration {
  readonly count: number
  readonly ns: number
}

/** Of requests, one by one: how they ended, and where the time of the successful ones went. */
export interface InferenceStatistics {
  readonly success: Duration
  readonly fail: Duration
  /** From its arrival until a worker took it. */
  readonly queue: Duration
  /** Gathering the batch's inputs. */
  readonly compute_input: Duration
  /** In onnxruntime. */
  readonly compute_infer: Duration
  /** Handing the outputs back. */
  readonly compute_output: Duration
}

/** Of the executions with one number of rows; above 256 those up to a power of two count together, as `batch_size` that power. */
export interface BatchStatistics {
  readonly batch_size: number
  readonly compute_input: Duration
  readonly compute_infer: Duration
  readonly compute_output: Duration
}

/** Milliseconds by which answers are counted, the times of small models on a processor and of large ones, with Triton's own bounds (100, 500, 2000, 5000). */
export const latencyBounds: ReadonlyArray<number> = [
  0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2000, 5000, 10_000
]

/** A model version's statistics. */
export interface ModelStatistics {
  readonly name: string
  readonly version: string
  /** Milliseconds since the epoch; 0 before the first. */
  readonly last_inference: number
  /** Rows that were answered: a request of 8 counts 8. */
  readonly inference_count: number
  /** Runs of the session: a batch of several requests counts once. */
  readonly execution_count: number
  readonly inference_stats: InferenceStatistics
  readonly batch_stats: ReadonlyArray<BatchStatistics>
  /** Answers by the time from arrival to answer: those within each of `latencyBounds` and above the one before it. */
  readonly latencies: ReadonlyArray<number>
  /** Requests that wait now, and the limit. */
  readonly waiting: number
  readonly limit: number
  /** Refused because the queue was full; over their deadline; taken back by the client. */
  readonly refused: number
  readonly expired: number
  readonly cancelled: number
  /** Times that a worker stopped and was started again. */
  readonly restarts: number
  readonly provider: string
}
