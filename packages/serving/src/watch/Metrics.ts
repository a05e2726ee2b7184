/**
 * `GET /metrics`: what the models have done, under Triton's names, and what the process uses, in Prometheus' text format. The models' counts are read
 * only when scraped, so they cost requests nothing.
 */
import { Effect } from "effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Prometheus from "prom-client"
import type { DataPlane } from "../DataPlane.ts"
import { latencyBounds, type ModelStatistics } from "../ModelStatistics.ts"

type Labels = Readonly<Record<string, string>>
type Sample = readonly [suffix: string, labels: Labels, value: number]

interface Family {
  readonly name: string
  readonly help: string
  readonly type: "counter" | "gauge" | "histogram"
  readonly samples: (model: ModelStatistics) => ReadonlyArray<Sample>
}

const one = (value: number): ReadonlyArray<Sample> => [["", {}, value]]
const microseconds = ({ ns }: { readonly ns: number }) => one(Math.round(ns / 1000))

const counter = (name: string, help: string, samples: Family["samples"]): Family => ({
  name,
  help,
  type: "counter",
  samples
})
const gauge = (name: string, help: string, samples: Family["samples"]): Family => ({
  name,
  help,
  type: "gauge",
  samples
})

/** Samples of a histogram, from the number of values within each bound. */
const histogram = (
  bounds: ReadonlyArray<number>,
  upTo: (bound: number, index: number) => number,
  count: number,
  sum: number
): ReadonlyArray<Sample> => [
  ...bounds.map((bound, index): Sample => ["_bucket", { le: String(bound) }, upTo(bound, index)]),
  ["_bucket", { le: "+Inf" }, count],
  ["_sum", {}, sum],
  ["_count", {}, count]
]

const rowBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]

const batchRows = ({ batch_stats, execution_count, inference_count }: ModelStatistics) => {
  const upTo = (bound: number) =>
    batch_stats.reduce((sum, { batch_size, compute_infer }) => sum + (batch_size <= bound ? compute_infer.count : 0), 0)
  return histogram(rowBounds, upTo, execution_count, inference_count)
}

const latencies = ({ inference_stats: { success }, latencies }: ModelStatistics) => {
  const upTo = (_: number, index: number) => latencies.slice(0, index + 1).reduce((sum, count) => sum + count, 0)
  return histogram(latencyBounds, upTo, success.count, success.ns / 1e6)
}

// One row per metric. A request that ran out of time in the queue counts as refused, as in Triton.
const families: ReadonlyArray<Family> = [
  counter("nv_inference_request_success", "Requests that were answered", ({ inference_stats }) =>
    one(inference_stats.success.count)
  ),
  counter("nv_inference_request_failure", "Requests that failed, by reason", (model) => {
    const rejected = model.refused + model.expired
    return [
      ["", { reason: "REJECTED" }, rejected],
      ["", { reason: "CANCELED" }, model.cancelled],
      ["", { reason: "BACKEND" }, Math.max(0, model.inference_stats.fail.count - rejected)]
    ]
  }),
  counter("nv_inference_count", "Rows that were answered: a request of 8 counts 8", (model) =>
    one(model.inference_count)
  ),
  counter("nv_inference_exec_count", "Executions of the model: a batch of several requests counts once", (model) =>
    one(model.execution_count)
  ),
  counter(
    "nv_inference_request_duration_us",
    "Time from arrival to answer of the requests that were answered, in microseconds",
    ({ inference_stats }) => microseconds(inference_stats.success)
  ),
  counter("nv_inference_queue_duration_us", "Part of it in the queue", ({ inference_stats }) =>
    microseconds(inference_stats.queue)
  ),
  counter("nv_inference_compute_input_duration_us", "Part of it gathering inputs", ({ inference_stats }) =>
    microseconds(inference_stats.compute_input)
  ),
  counter("nv_inference_compute_infer_duration_us", "Part of it in the runtime", ({ inference_stats }) =>
    microseconds(inference_stats.compute_infer)
  ),
  counter("nv_inference_compute_output_duration_us", "Part of it handing outputs back", ({ inference_stats }) =>
    microseconds(inference_stats.compute_output)
  ),
  gauge("nv_inference_pending_request_count", "Requests that wait in the queue", ({ waiting }) => one(waiting)),
  gauge("rai_queue_limit", "Requests that may wait before others are refused", ({ limit }) => one(limit)),
  counter("rai_worker_restarts_total", "Times that a worker stopped and was started again", ({ restarts }) =>
    one(restarts)
  ),
  gauge("rai_model_provider", "1 for the execution provider that took the model", ({ provider }) => [
    ["", { provider }, 1]
  ]),
  {
    name: "nv_inference_first_response_histogram_ms",
    help: "Time from arrival to answer of the requests that were answered, in milliseconds",
    type: "histogram",
    samples: latencies
  },
  { name: "rai_inference_batch_rows", help: "Rows of an execution", type: "histogram", samples: batchRows }
]

/** The models' metrics, with one sample per version. */
export const read = (models: ReadonlyArray<ModelStatistics>): Prometheus.Registry =>
  // Passed as one process' part of a sum, because prom-client's own histograms do their own counting.
  Prometheus.AggregatorRegistry.aggregate([
    families.map(({ help, name, samples, type }) => ({
      help,
      name,
      type,
      aggregator: "sum",
      values: models.flatMap((model) =>
        samples(model).map(([suffix, labels, value]) => ({
          metricName: `${name}${suffix}`,
          labels: { model: model.name, version: model.version, ...labels },
          value
        }))
      )
    }))
  ])

// One per process, whose memory, CPU time and event loop it measures from the first scrape on.
const processMetrics = Effect.runSync(
  Effect.cached(
    Effect.sync(() => {
      const registry = new Prometheus.Registry()
      Prometheus.collectDefaultMetrics({ register: registry })
      return registry
    })
  )
)

/** Answers `GET /metrics`. */
export const answer = (plane: DataPlane["Service"]): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.gen(function* () {
    const models = yield* Effect.orDie(plane.statistics())
    const all = Prometheus.Registry.merge([read(models), yield* processMetrics])
    const body = yield* Effect.promise(() => all.metrics())
    return HttpServerResponse.text(body, { contentType: Prometheus.Registry.PROMETHEUS_CONTENT_TYPE })
  })
