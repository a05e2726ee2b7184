/**
 * Why a call failed: one error class per way in which a caller might react.
 */
import { Schema } from "effect"

/** The server rejects the request itself (400, 405, 413, 415, 422); repeating it unchanged will be refused again. */
export class RequestRefused extends Schema.TaggedError<RequestRefused>()("RequestRefused", {
  status: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    return `the server refused the request (${this.status}): ${this.reason}`
  }
}

/** A tensor's data does not match its shape; nothing was sent. */
export class TensorInvalid extends Schema.TaggedError<TensorInvalid>()("TensorInvalid", {
  name: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `the tensor "${this.name}" ${this.reason}`
  }
}

/** A list holds an element that the datatype does not; thrown where the tensor is made. */
export class ElementInvalid extends Schema.TaggedError<ElementInvalid>()("ElementInvalid", {
  datatype: Schema.String,
  expected: Schema.String,
  index: Schema.Int,
  came: Schema.String
}) {
  override get message(): string {
    return `each element of ${this.datatype} is ${this.expected}; element ${this.index} is ${this.came}; correct it, or choose another datatype`
  }
}

/** The token is missing, wrong, or not allowed on this route (401, 403). */
export class TokenRefused extends Schema.TaggedError<TokenRefused>()("TokenRefused", {
  status: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    return `the server wants another token (${this.status}): ${this.reason}`
  }
}

/** There is no such model, version or route (404). */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", { reason: Schema.String }) {
  override get message(): string {
    return `the server has no such thing (404): ${this.reason}`
  }
}

/** The server cannot answer now but may later (429, 502, 503), after `retryAfter` seconds if it named a time. */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  status: Schema.Int,
  reason: Schema.String,
  retryAfter: Schema.UndefinedOr(Schema.Finite)
}) {
  override get message(): string {
    const after = this.retryAfter === undefined ? "" : `, ask again in ${this.retryAfter} s`
    return `the server cannot answer now (${this.status}${after}): ${this.reason}`
  }
}

/** No answer came in time: the client's own timeout expired, or the server's did (408, 504). */
export class TimedOut extends Schema.TaggedError<TimedOut>()("TimedOut", { reason: Schema.String }) {
  override get message(): string {
    return `no answer in time: ${this.reason}`
  }
}

/** The server failed internally (500) or does not support the operation (501). */
export class ServerFailed extends Schema.TaggedError<ServerFailed>()("ServerFailed", {
  status: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    return `the server could not do it (${this.status}): ${this.reason}`
  }
}

/** Nothing answers at this address, or the connection broke. */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", {
  url: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.url} gave no answer (${this.reason}); see whether a server listens there`
  }
}

/** The response does not follow the protocol, or lacks the outputs that were asked for. */
export class AnswerInvalid extends Schema.TaggedError<AnswerInvalid>()("AnswerInvalid", { reason: Schema.String }) {
  override get message(): string {
    return `the answer is not of the Open Inference Protocol: ${this.reason}`
  }
}

/** Any error of a call. */
export type ClientError =
  | RequestRefused
  | TensorInvalid
  | TokenRefused
  | NotFound
  | Unavailable
  | TimedOut
  | ServerFailed
  | Unreachable
  | AnswerInvalid

/** Returns the error that an HTTP status stands for. */
export const fromStatus = (status: number, reason: string, retryAfter: number | undefined): ClientError => {
  if (status === 401 || status === 403) return new TokenRefused({ status, reason })
  if (status === 404) return new NotFound({ reason })
  if (status === 408 || status === 504) return new TimedOut({ reason })
  if (status === 429 || status === 502 || status === 503) return new Unavailable({ status, reason, retryAfter })
  if (status >= 500) return new ServerFailed({ status, reason })
  if (status >= 400) return new RequestRefused({ status, reason })
  return new AnswerInvalid({ reason: `it has the status ${status}` })
}

/** Whether the same call may succeed if retried a little later. */
export const isTransient = (error: ClientError): error is Unavailable | Unreachable =>
  error._tag === "Unavailable" || error._tag === "Unreachable"
