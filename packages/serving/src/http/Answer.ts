/**
 * Answers of the routes that Effect's router serves.
 */
import { Effect } from "effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { RequestError } from "../RequestError.ts"
import * as Reply from "./Reply.ts"

/** Any value as JSON. */
export const json = (body: unknown): HttpServerResponse.HttpServerResponse => HttpServerResponse.jsonUnsafe(body)

/** A page. */
export const html = (body: string): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(body, { contentType: "text/html; charset=utf-8" })

const of = ({ status, headers, body }: Reply.Reply): HttpServerResponse.HttpServerResponse =>
  typeof body === "string"
    ? HttpServerResponse.text(body, { status, headers, contentType: "application/json" })
    : HttpServerResponse.uint8Array(body, { status, headers })

/** `{"error": message}` with a status. */
export const error = (
  message: string,
  status: number,
  headers?: Reply.Reply["headers"]
): HttpServerResponse.HttpServerResponse => of(Reply.error(message, status, headers))

/** A request's error with the status that belongs to it. */
export const failure = (reason: RequestError): HttpServerResponse.HttpServerResponse => of(Reply.failure(reason))

/** A defect: the reason is for the log. */
export const defect = (cause: unknown): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.as(Effect.logError("a request met a fault of the server", cause), of(Reply.fault))
