/**
 * ModelStreamInfer: requests arrive on one stream and their answers leave on it, in the requests' order, as Triton's do for models that answer once.
 */
import { create } from "@bufbuild/protobuf"
import { Result } from "effect"
import type { Cancel } from "../DataPlane.ts"
import type { InferResponse } from "../InferTensor.ts"
import { Draining, type RequestError } from "../RequestError.ts"
import type { Call, Handler } from "./Call.ts"
import * as Calls from "./Calls.ts"
import {
  type ModelInferRequest,
  ModelInferRequestSchema,
  type ModelStreamInferResponse,
  ModelStreamInferResponseSchema
} from "./grpc_service_pb.ts"
import * as ModelInfer from "./ModelInfer.ts"
import * as Status from "./Status.ts"
import * as Wire from "./Wire.ts"

/** Who asks: the deadline, and the id and trace that identify the request where there is an observer. */
export interface Asker {
  readonly deadline: number | undefined
  readonly requestId?: string | undefined
  readonly traceparent?: string | undefined
}

/** Sends a request to a model; the deadline is as in `DataPlane.submit`. */
export type Ask = (
  message: ModelInferRequest,
  asker: Asker,
  answer: (result: Result.Result<InferResponse, RequestError>) => void
) => Cancel

interface Turn {
  cancel: Cancel
  readonly bytes: number
  answer?: ModelStreamInferResponse
}

// Maximum number of unanswered requests per stream; more are read when there is room.
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

/** Serves a stream until the client or the server ends it; what was asked is answered first. */
export const serve =
  (ask: Ask, asker: (call: Call, turn: number) => Asker) =>
  (call: Call): Handler => {
    const turns: Array<Turn> = []
    let asked = 0
    let ending: Status.Status | undefined
    let hasRoom = true

    const proceed = () => {
      for (let next = turns[0]; next?.answer !== undefined; next = turns[0]) {
        turns.shift()
        call.release(next.bytes)
        hasRoom = call.write(Calls.write(ModelStreamInferResponseSchema, next.answer))
      }
      if (ending !== undefined) {
        if (turns.length === 0) call.end(ending)
      } else if (turns.length < limit && hasRoom) call.resume()
      else call.pause()
    }
    const gone = () => {
      for (const { answer, cancel } of turns.splice(0)) if (answer === undefined) cancel()
    }
    const end = (status: Status.Status) => {
      ending ??= status
      proceed()
    }
    return {
      message: (bytes) => {
        const message = Wire.read(bytes) ?? Calls.read(call, ModelInferRequestSchema, bytes)
        if (message === undefined) return gone()
        const turn: Turn = { cancel: () => {}, bytes: bytes.length }
        turns.push(turn)
        asked += 1
        turn.cancel = ask(message, asker(call, asked), (result) => {
          call.guard(() => {
            turn.answer = respond(message, result)
            proceed()
          })
        })
        proceed()
      },
      drain: () => {
        hasRoom = true
        proceed()
      },
      end: () => end(Status.ok),
      stop: () => {
        call.pause()
        end(Status.failure(new Draining()))
      },
      gone
    }
  }
