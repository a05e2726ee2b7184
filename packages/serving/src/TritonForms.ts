/**
 * The data plane's descriptions of models, as the JSON that Triton's clients read.
 */
import type { ModelConfig, ModelMetadata } from "./DataPlane.ts"
import type { TensorSpec } from "./ModelSignature.ts"
import type { ModelStatistics } from "./ModelStatistics.ts"

const sizes = (shape: TensorSpec["shape"]): ReadonlyArray<number> =>
  shape.map((size) => (typeof size === "number" ? size : -1))

const specs = (all: ReadonlyArray<TensorSpec>) =>
  all.map(({ name, datatype, shape }) => ({ name, datatype, shape: sizes(shape) }))

/** A model's metadata; open dimensions are -1. */
export const metadata = ({ inputs, outputs, ...rest }: ModelMetadata) => ({
  ...rest,
  inputs: specs(inputs),
  outputs: specs(outputs)
})

// Clients expect the field even where the settings do not say which axes of an image are which.
const layout = { format: "FORMAT_NONE" }

// Where a model is batched, Triton's `dims` are those of one example.
const fields = (
  all: ReadonlyArray<TensorSpec>,
  batched: boolean,
  said: ReadonlyArray<{ readonly name: string }> = []
) =>
  all.map(({ name, datatype, shape }) => ({
    ...said.find((of) => of.name === name),
    name,
    data_type: datatype === "BYTES" ? "TYPE_STRING" : `TYPE_${datatype}`,
    dims: sizes(batched ? shape.slice(1) : shape)
  }))

/** A model's configuration, in the JSON form of Triton's ModelConfig. */
export const config = ({ name, platform, settings, maxBatchSize, inputs, outputs }: ModelConfig) => ({
  ...settings,
  name,
  platform,
  backend: "onnxruntime",
  max_batch_size: maxBatchSize,
  input: fields(inputs, maxBatchSize > 0, settings.input).map((field) => ({ ...layout, ...field })),
  output: fields(outputs, maxBatchSize > 0, settings.output)
})

const none = { count: 0, ns: 0 }

// There is no response cache: clients that compute a hit rate find counts of 0.
const statisticsOf = ({
  inference_stats,
  waiting,
  limit,
  refused,
  expired,
  cancelled,
  restarts,
  provider,
  latencies: _,
  ...rest
}: ModelStatistics) => ({
  ...rest,
  inference_stats: { ...inference_stats, cache_hit: none, cache_miss: none },
  queue: { waiting, limit, refused, expired, cancelled },
  restarts,
  provider
})

/** The statistics extension's answer. */
export const statistics = (all: ReadonlyArray<ModelStatistics>) => ({ model_stats: all.map(statisticsOf) })
