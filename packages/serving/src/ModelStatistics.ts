/**
 * Statistics of a model version since it was loaded, as in Triton's statistics extension; durations are sums in nanoseconds.
 */

/** How many times, and how long in total. */
export interface Duration {
  readonly count: number
  readonly ns: number
}

/** Statistics per request: how requests ended, and where the time of the successful ones went. */
export interface InferenceStatistics {
  readonly success: Duration
  readonly fail: Duration
  /** From a request's arrival until a worker took it. */
  readonly queue: Duration
  /** Gathering the batch's inputs. */
  readonly compute_input: Duration
  /** In onnxruntime. */
  readonly compute_infer: Duration
  /** Handing the outputs back. */
  readonly compute_output: Duration
}

/** Statistics of the executions with `batch_size` rows; above 256, sizes are rounded up to a power of two. */
export interface BatchStatistics {
  readonly batch_size: number
  readonly compute_input: Duration
  readonly compute_infer: Duration
  readonly compute_output: Duration
}

/**
 * Upper bounds in milliseconds of the latency buckets, from small models on a processor to large ones, including Triton's own bounds (100, 500, 2000,
 * 5000).
 */
export const latencyBounds: ReadonlyArray<number> = [
  0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2000, 5000, 10_000
]

/** A model version's statistics. */
export interface ModelStatistics {
  readonly name: string
  readonly version: string
  /** Milliseconds since the epoch; 0 before the first inference. */
  readonly last_inference: number
  /** Number of rows answered: a request of 8 rows counts 8. */
  readonly inference_count: number
  /** Number of session runs: a batch of several requests counts once. */
  readonly execution_count: number
  readonly inference_stats: InferenceStatistics
  readonly batch_stats: ReadonlyArray<BatchStatistics>
  /** Number of answers by latency, from arrival to answer: those within each of `latencyBounds` and above the bound before it. */
  readonly latencies: ReadonlyArray<number>
  /** Number of requests waiting now, and its limit. */
  readonly waiting: number
  readonly limit: number
  /** Number of requests refused because the queue was full; past their deadline; cancelled by the client. */
  readonly refused: number
  readonly expired: number
  readonly cancelled: number
  /** Number of times that a worker stopped and was restarted. */
  readonly restarts: number
  readonly provider: string
}
