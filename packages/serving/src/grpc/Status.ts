/**
 * How a call ends: gRPC's codes, and a request's errors mapped to them as in Triton, since clients act on those.
 */
import type { OutgoingHttpHeaders } from "node:http"
import type { RequestError } from "../RequestError.ts"

/** The codes that this server uses. */
export const code = {
  OK: 0,
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16
} as const

/** One of these codes. */
export type Code = (typeof code)[keyof typeof code]

const codes: Readonly<Record<RequestError["_tag"], Code>> = {
  RequestInvalid: code.INVALID_ARGUMENT,
  ModelUnknown: code.NOT_FOUND,
  ModelUnavailable: code.UNAVAILABLE,
  Overloaded: code.UNAVAILABLE,
  DeadlineExceeded: code.DEADLINE_EXCEEDED,
  LoadRefused: code.INTERNAL,
  Draining: code.UNAVAILABLE,
  Unauthenticated: code.UNAUTHENTICATED,
  AdminClosed: code.PERMISSION_DENIED,
  InferenceFailed: code.INVALID_ARGUMENT,
  NotSupported: code.UNIMPLEMENTED,
  BodyTooLarge: code.RESOURCE_EXHAUSTED
}

/** A code, a message, and after how many seconds to retry, where retrying helps. */
export interface Status {
  readonly code: Code
  readonly message?: string | undefined
  readonly retryAfter?: number | undefined
}

export const ok: Status = { code: code.OK }

/** Returns the code of a request's error. */
export const codeOf = (reason: RequestError): Code => codes[reason._tag]

/** Returns the status of a request's error; a full queue also says when to retry. */
export const failure = (reason: RequestError): Status => ({
  code: codeOf(reason),
  message: reason.message,
  retryAfter: reason._tag === "Overloaded" ? reason.retryAfter : undefined
})

/** A defect: the reason is for the log. */
export const defect: Status = {
  code: code.INTERNAL,
  message: "the server met a fault of its own; its log says which"
}

/** All calls together already hold as much as they may. */
export const busy: Status = {
  code: code.UNAVAILABLE,
  message: "this server holds as many bytes of requests as it may; ask again in 1 s, or of another replica",
  retryAfter: 1
}

/** A client that takes too long to send its request. */
export const slow: Status = {
  code: code.DEADLINE_EXCEEDED,
  message: "the request took longer to arrive than this server waits; send it again"
}

/** A call whose own time limit has passed. */
export const late: Status = {
  code: code.DEADLINE_EXCEEDED,
  message: "there was no answer within the time that the call gave; give it more, or ask for less at once"
}

/** A path that is not a method here. */
export const unimplemented: Status = {
  code: code.UNIMPLEMENTED,
  message: "this server has no such method; ask its reflection which it has"
}

// gRPC's own percent-encoding of UTF-8: everything but printable ASCII, and the percent sign itself.
const encode = (text: string): string => text.toWellFormed().replaceAll(/[^ -$&-~]+/g, encodeURIComponent)

/** A status as trailers; gRPC's retries look for the pause in `grpc-retry-pushback-ms`. */
export const trailers = ({ code, message, retryAfter }: Status): OutgoingHttpHeaders => ({
  "grpc-status": String(code),
  ...(message !== undefined && { "grpc-message": encode(message) }),
  ...(retryAfter !== undefined && { "grpc-retry-pushback-ms": String(retryAfter * 1000) })
})
