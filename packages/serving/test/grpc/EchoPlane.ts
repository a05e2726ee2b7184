/**
 * A data plane without a runtime: models echo their inputs, at once, late, or with a given error. It shows what a transport does by
 * itself.
 */
import { Effect, Layer, Result } from "effect"
import { DataPlane, type LoadOptions } from "../../src/DataPlane.ts"
import type { InferRequest } from "../../src/InferTensor.ts"
import * as Errors from "../../src/RequestError.ts"

/** What the plane has seen, and what it shall answer. */
export interface Seen {
  readonly requests: Array<{ readonly request: InferRequest; readonly deadline: number | undefined }>
  readonly loads: Array<{ readonly model: string; readonly options: LoadOptions | undefined }>
  cancelled: number
  ready: boolean
  drained: boolean
}

export const make = (): Seen => ({ requests: [], loads: [], cancelled: 0, ready: true, drained: false })

const errors: Readonly<Record<string, Errors.RequestError>> = {
  RequestInvalid: new Errors.RequestInvalid({ reason: "the input does not fit" }),
  ModelUnavailable: new Errors.ModelUnavailable({ model: "m" }),
  Overloaded: new Errors.Overloaded({ model: "m", limit: 8, retryAfter: 2 }),
  DeadlineExceeded: new Errors.DeadlineExceeded({ model: "m" }),
  Draining: new Errors.Draining(),
  InferenceFailed: new Errors.InferenceFailed({ model: "m" }),
  NotSupported: new Errors.NotSupported({ reason: "not spoken here" })
}

const zero = { count: 0, ns: 0 }

/** Models: `echo` answers at once, `late` after 100 ms, `never` not at all; a model named like an error fails with it. */
export const layer = (seen: Seen) => {
  const unknown = (model: string, version?: string) =>
    new Errors.ModelUnknown({ model, version, known: ["echo", "late", "never"] })
  const known = (model: string) => model === "echo" || model === "late" || model === "never"
  const signature = {
    inputs: [{ name: "x", datatype: "FP32", shape: ["batch", 2] }],
    outputs: [{ name: "y", datatype: "BYTES", shape: ["batch", 3] }]
  }
  return Layer.succeed(
    DataPlane,
    DataPlane.of({
      serverMetadata: { name: "rai", version: "0.1.0", extensions: ["binary_tensor_data", "statistics"] },
      serverReady: Effect.suspend(() => (seen.ready ? Effect.void : Effect.fail(new Errors.Draining()))),
      drain: Effect.sync(() => {
        seen.drained = true
      }),
      modelReady: ({ model }) => (known(model) ? Effect.void : Effect.fail(unknown(model))),
      modelMetadata: ({ model, version }) =>
        known(model) && (version ?? "1") === "1"
          ? Effect.succeed({ ...signature, name: model, versions: ["1"], platform: "onnx_onnxv1", parameters: {} })
          : Effect.fail(unknown(model, version)),
      modelConfig: ({ model }) =>
        known(model)
          ? Effect.succeed({
              ...signature,
              name: model,
              platform: "onnx_onnxv1",
              maxBatchSize: 8,
              settings: {
                dynamic_batching: {
                  max_queue_delay_microseconds: 100,
                  default_queue_policy: { max_queue_size: 5, default_timeout_microseconds: 1000 }
                },
                version_policy: { specific: { versions: [1, 3] } },
                instance_group: [{ count: 2, kind: "KIND_CPU" }]
              }
            })
          : Effect.fail(unknown(model)),
      statistics: (name) =>
        name !== undefined && !known(name.model)
          ? Effect.fail(unknown(name.model))
          : Effect.succeed([
              {
                name: "echo",
                version: "1",
                last_inference: 1_700_000_000_000,
                inference_count: 8,
                execution_count: 2,
                inference_stats: {
                  success: { count: 8, ns: 1.5e9 },
                  fail: zero,
                  queue: zero,
                  compute_input: zero,
                  compute_infer: { count: 8, ns: 123.4 },
                  compute_output: zero
                },
                batch_stats: [{ batch_size: 4, compute_input: zero, compute_infer: zero, compute_output: zero }],
                latencies: [],
                waiting: 0,
                limit: 8,
                refused: 0,
                expired: 0,
                cancelled: 0,
                restarts: 0,
                provider: "cpu"
              }
            ]),
      index: Effect.succeed([
        { name: "echo", version: "1", state: "READY", reason: "", provider: "cpu" },
        { name: "echo", version: "2", state: "UNAVAILABLE", reason: "the file is not an ONNX model" }
      ]),
      load: (model, options) =>
        Effect.suspend(() => {
          seen.loads.push({ model, options })
          return known(model) ? Effect.void : Effect.fail(new Errors.LoadRefused({ model, reason: "it is broken" }))
        }),
      unload: (model) => (known(model) ? Effect.void : Effect.fail(unknown(model))),
      infer: ({ model }) => Effect.fail(unknown(model)),
      submit: ({ model, version = "1" }, request, deadline, answer) => {
        seen.requests.push({ request, deadline })
        const failure = known(model) ? undefined : (errors[model] ?? unknown(model))
        if (failure !== undefined) {
          answer(Result.fail(failure))
          return () => {}
        }
        const echo = () => answer(Result.succeed({ id: request.id, model, version, outputs: request.inputs }))
        if (model === "echo") echo()
        const timer = model === "late" ? setTimeout(echo, 100) : undefined
        return () => {
          clearTimeout(timer)
          seen.cancelled++
        }
      },
      refusal: () => undefined,
      signature: () => signature
    })
  )
}
