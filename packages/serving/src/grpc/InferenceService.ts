/**
 * inference.GRPCInferenceService: which method is which operation of the data plane. What is not here (shared memory, traces, log settings) answers
 * UNIMPLEMENTED.
 */
import { fromJson, type JsonObject } from "@bufbuild/protobuf"
import type { ServerDuplexStream, ServerUnaryCall, sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js"
import { Clock, Effect, Result } from "effect"
import type { DataPlane, LoadOptions, ModelConfig } from "../DataPlane.ts"
import type { TensorSpec } from "../ModelSignature.ts"
import { type RequestError, RequestInvalid } from "../RequestError.ts"
import * as TritonForms from "../TritonForms.ts"
import * as Calls from "./Calls.ts"
import * as Classes from "./Classes.ts"
import {
  GRPCInferenceService,
  type ModelInferRequest,
  type ModelInferResponse,
  type ModelRepositoryParameter,
  type ModelStreamInferResponse
} from "./grpc_service_pb.ts"
import * as ModelInfer from "./ModelInfer.ts"
import { ModelConfigSchema } from "./model_config_pb.ts"
import * as Statistics from "./Statistics.ts"
import * as Status from "./Status.ts"
import * as StreamInfer from "./StreamInfer.ts"

const { method } = GRPCInferenceService

// An empty name or version is none.
const given = (text: string): string | undefined => (text === "" ? undefined : text)

const named = ({ name, version }: { readonly name: string; readonly version: string }) => ({
  model: name,
  version: given(version)
})

const ready = { ready: true }
const notReady = { ready: false }

const specs = (all: ReadonlyArray<TensorSpec>) =>
  all.map(({ name, datatype, shape }) => ({
    name,
    datatype,
    shape: shape.map((size) => (typeof size === "number" ? BigInt(size) : -1n))
  }))

// The message's own JSON form; a datatype that it does not name is left out.
const configOf = (config: ModelConfig) =>
  fromJson(ModelConfigSchema, TritonForms.config(config) as unknown as JsonObject, { ignoreUnknownFields: true })

const filePrefix = "file:"

const loadOptions = (
  parameters: Readonly<Record<string, ModelRepositoryParameter>>
): Effect.Effect<LoadOptions, RequestInvalid> => {
  const files: Array<[name: string, bytes: Uint8Array]> = []
  let config: string | undefined
  for (const [name, { parameterChoice }] of Object.entries(parameters)) {
    if (name === "config" && parameterChoice.case === "stringParam") config = parameterChoice.value
    else if (name.startsWith(filePrefix) && parameterChoice.case === "bytesParam") {
      files.push([name.slice(filePrefix.length), parameterChoice.value])
    } else {
      return new RequestInvalid({
        reason: `a model is loaded with the parameters "config" (a string) and "file:…" (bytes); another came; leave it out`
      })
    }
  }
  return Effect.succeed({ config, files: files.length === 0 ? undefined : Object.fromEntries(files) })
}

// Triton's own, in microseconds from now; the earlier of the two counts.
const withTimeout = (
  deadline: number | undefined,
  timeout: string | number | bigint | boolean | undefined
): Result.Result<number | undefined, RequestInvalid> => {
  if (timeout === undefined || timeout === 0) return Result.succeed(deadline)
  if (typeof timeout !== "number" || !Number.isSafeInteger(timeout) || timeout < 0) {
    return Result.fail(
      new RequestInvalid({ reason: 'the parameter "timeout" must be a whole number of microseconds; correct it' })
    )
  }
  return Result.succeed(Math.min(deadline ?? Number.POSITIVE_INFINITY, performance.now() + timeout / 1000))
}

const ask =
  (plane: DataPlane["Service"]): StreamInfer.Ask =>
  (message, deadline, answer) => {
    const refuse = (reason: RequestError) => {
      answer(Result.fail(reason))
      return () => {}
    }
    const name = { model: message.modelName, version: given(message.modelVersion) }
    const full = plane.refusal(name)
    if (full !== undefined) return refuse(full)
    const request = ModelInfer.read(message)
    if (Result.isFailure(request)) return refuse(request.failure)
    const classes = Classes.read(request.success)
    if (Result.isFailure(classes)) return refuse(classes.failure)
    const until = withTimeout(deadline, request.success.parameters?.timeout)
    if (Result.isFailure(until)) return refuse(until.failure)
    const wanted = classes.success
    if (wanted === undefined) return plane.submit(name, request.success, until.success, answer)
    const signature = plane.signature(name)
    return plane.submit(name, request.success, until.success, (result) =>
      answer(Result.isSuccess(result) ? Classes.apply(result.success, wanted, signature) : result)
    )
  }

/** The methods. */
export const implementation = Effect.fnUntraced(function* (
  calls: Calls.Calls,
  plane: DataPlane["Service"]
): Effect.fn.Return<UntypedServiceImplementation> {
  const clock = yield* Clock.Clock

  // gRPC's deadline is a time of day, the data plane's one of the monotonic clock.
  const deadlineOf = (call: Pick<ServerUnaryCall<unknown, unknown>, "getDeadline">): number | undefined => {
    const deadline = Number(call.getDeadline())
    return deadline === Number.POSITIVE_INFINITY
      ? undefined
      : performance.now() + deadline - clock.currentTimeMillisUnsafe()
  }
  const asked = ask(plane)

  return {
    serverLive: Calls.unary(calls, "other", method.serverLive, () => Effect.succeed({ live: true })),
    serverReady: Calls.unary(calls, "other", method.serverReady, () =>
      plane.serverReady.pipe(Effect.match({ onSuccess: () => ready, onFailure: () => notReady }))
    ),
    modelReady: Calls.unary(calls, "other", method.modelReady, (request) =>
      plane.modelReady(named(request)).pipe(Effect.match({ onSuccess: () => ready, onFailure: () => notReady }))
    ),
    serverMetadata: Calls.unary(calls, "other", method.serverMetadata, () =>
      Effect.succeed({ ...plane.serverMetadata, extensions: [...plane.serverMetadata.extensions] })
    ),
    modelMetadata: Calls.unary(calls, "other", method.modelMetadata, (request) =>
      plane.modelMetadata(named(request)).pipe(
        Effect.map(({ inputs, name, outputs, platform, versions }) => ({
          name,
          versions: [...versions],
          platform,
          inputs: specs(inputs),
          outputs: specs(outputs)
        }))
      )
    ),
    modelConfig: Calls.unary(calls, "other", method.modelConfig, (request) =>
      plane.modelConfig(named(request)).pipe(Effect.map((config) => ({ config: configOf(config) })))
    ),
    modelStatistics: Calls.unary(calls, "other", method.modelStatistics, (request) =>
      plane
        .statistics(request.name === "" ? undefined : named(request))
        .pipe(Effect.map((all) => ({ modelStats: all.map(Statistics.write) })))
    ),
    repositoryIndex: Calls.unary(calls, "other", method.repositoryIndex, (request) =>
      plane.index.pipe(
        Effect.map((entries) => ({
          models: entries
            .filter(({ state }) => !request.ready || state === "READY")
            .map(({ name, reason, state, version }) => ({ name, version, state, reason }))
        }))
      )
    ),
    repositoryModelLoad: Calls.unary(calls, "admin", method.repositoryModelLoad, ({ modelName, parameters }) =>
      Effect.as(
        Effect.flatMap(loadOptions(parameters), (options) => plane.load(modelName, options)),
        {}
      )
    ),
    repositoryModelUnload: Calls.unary(calls, "admin", method.repositoryModelUnload, ({ modelName }) =>
      Effect.as(plane.unload(modelName), {})
    ),
    modelInfer: (
      call: ServerUnaryCall<ModelInferRequest, ModelInferResponse>,
      callback: sendUnaryData<ModelInferResponse>
    ) => {
      const refused = Calls.refusal(calls, "other", call.metadata)
      if (refused !== undefined) return callback(Status.failure(refused))
      // grpc-js calls an answered call cancelled too.
      let answered = false
      const cancel = asked(call.request, deadlineOf(call), (result) => {
        answered = true
        if (Result.isSuccess(result)) callback(null, ModelInfer.write(result.success))
        else callback(Status.failure(result.failure))
      })
      call.on("cancelled", () => answered || cancel())
    },
    modelStreamInfer: (call: ServerDuplexStream<ModelInferRequest, ModelStreamInferResponse>) => {
      const refused = Calls.refusal(calls, "other", call.metadata)
      if (refused !== undefined) return Calls.fail(call, Status.failure(refused))
      StreamInfer.serve(calls, call, deadlineOf(call), asked)
    }
  }
})
