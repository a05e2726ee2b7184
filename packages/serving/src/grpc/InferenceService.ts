/**
 * inference.GRPCInferenceService: which method is which operation of the data plane. What is missing here (shared memory, traces, log settings)
 * answers UNIMPLEMENTED.
 */
import { fromJson, type JsonObject } from "@bufbuild/protobuf"
import { Effect, Result } from "effect"
import type { Cancel, DataPlane, LoadOptions, ModelConfig } from "../DataPlane.ts"
import type { TensorSpec } from "../ModelSignature.ts"
import { type RequestError, RequestInvalid } from "../RequestError.ts"
import * as RequestParameters from "../RequestParameters.ts"
import * as TritonForms from "../TritonForms.ts"
import * as GrpcWatch from "../watch/GrpcWatch.ts"
import type { RequestObserver } from "../watch/RequestObserver.ts"
import type { Call, Method } from "./Call.ts"
import * as Calls from "./Calls.ts"
import * as Classes from "./Classes.ts"
import { GRPCInferenceService, ModelInferRequestSchema, type ModelRepositoryParameter } from "./grpc_service_pb.ts"
import * as ModelInfer from "./ModelInfer.ts"
import { ModelConfigSchema } from "./model_config_pb.ts"
import * as Statistics from "./Statistics.ts"
import * as Status from "./Status.ts"
import * as StreamInfer from "./StreamInfer.ts"
import * as Wire from "./Wire.ts"

const { method } = GRPCInferenceService

// An empty name or version means none.
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

// Through the message's own JSON form; a datatype that it does not know is left out.
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

// `deadline` is a time of `performance.now()`, `millis` counts from now.
const earlier = (deadline: number | undefined, millis: number | undefined): number | undefined =>
  millis === undefined ? deadline : Math.min(deadline ?? Number.POSITIVE_INFINITY, performance.now() + millis)

const ask =
  (plane: DataPlane["Service"]): StreamInfer.Ask =>
  (message, { deadline }, answer) => {
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
    const timeout = RequestParameters.timeout(request.success)
    if (Result.isFailure(timeout)) return refuse(timeout.failure)
    const until = earlier(deadline, timeout.success)
    const wanted = classes.success
    if (wanted === undefined) return plane.submit(name, request.success, until, answer)
    const signature = plane.signature(name)
    return plane.submit(name, request.success, until, (result) =>
      answer(Result.isSuccess(result) ? Classes.apply(result.success, wanted, signature) : result)
    )
  }

// Each request of a stream has an id of its own.
const inStream = (call: Call, turn: number): StreamInfer.Asker => ({
  deadline: call.deadline,
  requestId: call.requestId && `${call.requestId}/${turn}`,
  traceparent: call.traceparent
})

/** The service's methods; each inference is reported to the observer, if there is one. */
export const methods = (
  run: Calls.Run,
  plane: DataPlane["Service"],
  observer: RequestObserver | undefined
): Readonly<Record<string, Method>> => {
  const watched = (operation: string) =>
    observer === undefined
      ? { ask: ask(plane), refused: undefined }
      : GrpcWatch.make(observer, `inference.GRPCInferenceService/${operation}`, ask(plane))
  const one = watched("ModelInfer")
  const streamed = watched("ModelStreamInfer")

  return {
    serverLive: Calls.unary(run, "probe", method.serverLive, () => Effect.succeed({ live: true })),
    serverReady: Calls.unary(run, "probe", method.serverReady, () =>
      plane.serverReady.pipe(Effect.match({ onSuccess: () => ready, onFailure: () => notReady }))
    ),
    modelReady: Calls.unary(run, "other", method.modelReady, (request) =>
      plane.modelReady(named(request)).pipe(Effect.match({ onSuccess: () => ready, onFailure: () => notReady }))
    ),
    serverMetadata: Calls.unary(run, "other", method.serverMetadata, () =>
      Effect.succeed({ ...plane.serverMetadata, extensions: [...plane.serverMetadata.extensions] })
    ),
    modelMetadata: Calls.unary(run, "other", method.modelMetadata, (request) =>
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
    modelConfig: Calls.unary(run, "other", method.modelConfig, (request) =>
      plane.modelConfig(named(request)).pipe(Effect.map((config) => ({ config: configOf(config) })))
    ),
    modelStatistics: Calls.unary(run, "other", method.modelStatistics, (request) =>
      plane
        .statistics(request.name === "" ? undefined : named(request))
        .pipe(Effect.map((all) => ({ modelStats: all.map(Statistics.write) })))
    ),
    repositoryIndex: Calls.unary(run, "other", method.repositoryIndex, (request) =>
      plane.index.pipe(
        Effect.map((entries) => ({
          models: entries
            .filter(({ state }) => !request.ready || state === "READY")
            .map(({ name, reason, state, version }) => ({ name, version, state, reason }))
        }))
      )
    ),
    repositoryModelLoad: Calls.unary(run, "admin", method.repositoryModelLoad, ({ modelName, parameters }) =>
      Effect.as(
        Effect.flatMap(loadOptions(parameters), (options) => plane.load(modelName, options)),
        {}
      )
    ),
    repositoryModelUnload: Calls.unary(run, "admin", method.repositoryModelUnload, ({ modelName }) =>
      Effect.as(plane.unload(modelName), {})
    ),
    modelInfer: {
      route: "other",
      streams: false,
      refused: one.refused,
      serve: (call) => {
        let cancel: Cancel | undefined
        return {
          message: (bytes) => {
            const message = Wire.read(bytes) ?? Calls.read(call, ModelInferRequestSchema, bytes)
            if (message === undefined) return
            const { deadline, requestId } = call
            cancel = one.ask(message, { deadline, requestId, traceparent: call.traceparent }, (result) => {
              if (Result.isFailure(result)) return call.end(Status.failure(result.failure))
              call.guard(() => call.end(Status.ok, Wire.write(result.success)))
            })
          },
          gone: () => cancel?.()
        }
      }
    },
    modelStreamInfer: {
      route: "other",
      streams: true,
      refused: streamed.refused,
      serve: StreamInfer.serve(streamed.ask, inStream)
    }
  }
}
