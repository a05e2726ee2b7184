/**
 * Answers as HTTP has them: JSON with a status.
 */
import { Effect } from "effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { ModelMetadata } from "../DataPlane.ts"
import type { InferResponse } from "../InferTensor.ts"
import type { RequestError } from "../RequestError.ts"
import * as JsonData from "./JsonData.ts"

const statuses: Readonly<Record<RequestError["_tag"], number>> = {
  RequestInvalid: 400,
  LoadRefused: 400,
  Unauthenticated: 401,
  AdminClosed: 403,
  ModelUnknown: 404,
  BodyTooLarge: 413,
  InferenceFailed: 500,
  NotSupported: 501,
  ModelUnavailable: 503,
  Overloaded: 503,
  Draining: 503,
  DeadlineExceeded: 504
}

/** Any value as JSON. */
export const json = (body: unknown, status = 200): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(body, { status })

/** `{"error": message}` with a status. */
export const error = (message: string, status: number): HttpServerResponse.HttpServerResponse =>
  json({ error: message }, status)

/** A request's error with the status that belongs to it. */
export const failure = (reason: RequestError): HttpServerResponse.HttpServerResponse =>
  error(reason.message, statuses[reason._tag])

/** A defect: the reason is for the log. */
export const defect = (cause: unknown): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.as(
    Effect.logError("a request met a fault of the server", cause),
    error("the server met a fault of its own; its log says which", 500)
  )

/** A model's metadata; dimensions that it leaves open are -1. */
export const metadata = ({ inputs, outputs, ...rest }: ModelMetadata): HttpServerResponse.HttpServerResponse => {
  const specs = (all: ModelMetadata["inputs"]) =>
    all.map((spec) => ({ ...spec, shape: spec.shape.map((size) => (typeof size === "number" ? size : -1)) }))
  return json({ ...rest, inputs: specs(inputs), outputs: specs(outputs) })
}

/** An inference's answer, written by hand: JSON.stringify knows no 64-bit integers and is slow on long arrays. */
export const inference = ({ id, model, version, outputs }: InferResponse): HttpServerResponse.HttpServerResponse => {
  const head = JSON.stringify({ model_name: model, model_version: version, id })
  const tensors = outputs.map((output) => {
    const { name, datatype, shape } = output
    return `${JSON.stringify({ name, datatype, shape }).slice(0, -1)},"data":${JsonData.write(output)}}`
  })
  const body = `${head.slice(0, -1)},"outputs":[${tensors.join(",")}]}`
  return HttpServerResponse.text(body, { contentType: "application/json" })
}
