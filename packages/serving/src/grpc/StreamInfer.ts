/**
 * ModelStreamInfer: requests come on one stream and their answers go on it, in the requests' order, as Triton's do for models that answer once.
 */
import { create } from "@bufbuild/protobuf"
import type { ServerDuplexStream } from "@grpc/grpc-js"
import { Result } from "effect"
import type { Cancel } from "../DataPlane.ts"
import type { InferResponse } from "../InferTensor.ts"
import { Draining, type RequestError } from "../RequestError.ts"
import * as Calls from "./Calls.ts"
import {
  type ModelInferRequest,
  type ModelStreamInferResponse,
  ModelStreamInferResponseSchema
} from "./grpc_service_pb.ts"
import * as ModelInfer from "./ModelInfer.ts"
import * as Status from "./Status.ts"

/** Asks a model; the deadline is as in `DataPlane.submit`. */
export type Ask = (
  message: ModelInferRequest,
  deadline: number | undefined,
  answer: (result: Result.Result<InferResponse, RequestError>) => void
) => Cancel

interface Turn {
  cancel: Cancel
  answer?: ModelStreamInferResponse
}

// So many requests of one stream may be under way; the next are read when there is room.
const limit = 256

const final = { triton_final_response: true }

const respond = (
  { id, modelName, modelVersion }: ModelInferRequest,
  result: Result.Result<InferResponse, RequestError>
): ModelStreamInferResponse =>
  create(
    ModelStreamInferResponseSchema,
    Result.isSuccess(result)
      ? { inferResponse: ModelInfer.write(result.success, final) }
      : {
          errorMessage: result.failure.message,
          inferResponse: ModelInfer.write({ id, model: modelName, version: modelVersion, outputs: [] }, final)
        }
  )

/** Serves a stream until the client ends it, or the server does; then what was asked is answered first. */
export const serve = (
  calls: Calls.Calls,
  call: ServerDuplexStream<ModelInferRequest, ModelStreamInferResponse>,
  deadline: number | undefined,
  ask: Ask
): void => {
  const turns: Array<Turn> = []
  let ending: (() => void) | undefined

  const proceed = () => {
    if (call.cancelled) return
    for (let next = turns[0]; next?.answer !== undefined; next = turns[0]) {
      call.write(next.answer)
      turns.shift()
    }
    if (ending !== undefined) {
      if (turns.length === 0) ending()
    } else if (turns.length < limit && !call.writableNeedDrain) call.resume()
    else call.pause()
  }
  const end = (how: () => void) => {
    ending ??= how
    proceed()
  }
  const close = () => {
    call.pause()
    end(() => Calls.fail(call, Status.failure(new Draining())))
  }

  call.on("data", (message: ModelInferRequest) => {
    const turn: Turn = { cancel: () => {} }
    turns.push(turn)
    turn.cancel = ask(message, deadline, (result) => {
      turn.answer = respond(message, result)
      proceed()
    })
    proceed()
  })
  call.on("drain", proceed)
  call.on("end", () => end(() => call.end()))
  calls.open.add(close)
  call.on("cancelled", () => {
    calls.open.delete(close)
    for (const { cancel } of turns.splice(0)) cancel()
  })
}
