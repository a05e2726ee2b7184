/**
 * A model's statistics as a message.
 */
import type { MessageInitShape } from "@bufbuild/protobuf"
import type { Duration, ModelStatistics } from "../ModelStatistics.ts"
import type { ModelStatisticsSchema } from "./grpc_service_pb.ts"

const whole = (value: number): bigint => BigInt(Math.round(value))

const duration = ({ count, ns }: Duration) => ({ count: whole(count), ns: whole(ns) })

/** Writes statistics as their message; what it has no field for, such as restarts, is left to the metrics. */
export const write = (all: ModelStatistics): MessageInitShape<typeof ModelStatisticsSchema> => {
  const { success, fail, queue, compute_input, compute_infer, compute_output } = all.inference_stats
  return {
    name: all.name,
    version: all.version,
    lastInference: whole(all.last_inference),
    inferenceCount: whole(all.inference_count),
    executionCount: whole(all.execution_count),
    inferenceStats: {
      success: duration(success),
      fail: duration(fail),
      queue: duration(queue),
      computeInput: duration(compute_input),
      computeInfer: duration(compute_infer),
      computeOutput: duration(compute_output)
    },
    batchStats: all.batch_stats.map((batch) => ({
      batchSize: whole(batch.batch_size),
      computeInput: duration(batch.compute_input),
      computeInfer: duration(batch.compute_infer),
      computeOutput: duration(batch.compute_output)
    }))
  }
}
