/**
 * Tells the observer of inferences over gRPC, from outside: what answers them knows nothing of it.
 */
import { type handleUnaryCall, Metadata, status, type UntypedServiceImplementation } from "@grpc/grpc-js"
import type { ModelInferRequest, ModelInferResponse } from "../grpc/grpc_service_pb.ts"
import * as RequestId from "./RequestId.ts"
import type { RequestObserver } from "./RequestObserver.ts"

type Handler = handleUnaryCall<ModelInferRequest, ModelInferResponse>

/** The service with its inferences watched; each answer bears its request's id. */
export const make = (
  observer: RequestObserver,
  service: UntypedServiceImplementation
): UntypedServiceImplementation => ({
  ...service,
  modelInfer: watched(observer, service.modelInfer as Handler)
})

const watched =
  (observer: RequestObserver, handler: Handler): Handler =>
  (call, callback) => {
    const { metadata, request } = call
    const requestId = RequestId.of(metadata.get("x-request-id")[0])
    const head = new Metadata()
    head.set("x-request-id", requestId)
    call.sendMetadata(head)
    const tell = observer({
      protocol: "grpc",
      operation: "inference.GRPCInferenceService/ModelInfer",
      model: request.modelName,
      requestId,
      traceparent: metadata.get("traceparent")[0]?.toString()
    })
    // grpc-js calls an answered call cancelled too.
    let told = false
    const end = (code: number, version: string, rows?: number) => {
      if (told) return
      told = true
      const fault = code === status.INTERNAL || code === status.UNKNOWN
      tell({ status: code, fault, cancelled: code === status.CANCELLED, version: version || undefined, rows })
    }
    call.on("cancelled", () => end(status.CANCELLED, request.modelVersion))
    handler(call, (error, answer, ...rest) => {
      if (answer) end(status.OK, answer.modelVersion, Number(answer.outputs[0]?.shape[0] ?? 1))
      else end(error?.code ?? status.UNKNOWN, request.modelVersion)
      callback(error, answer, ...rest)
    })
  }
