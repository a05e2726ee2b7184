/**
 * Why a call gets no answer: one error for each thing that a caller would do about it.
 */
import { Schema } from "effect"

/** The server does not take the request as it is (400, 405, 413, 415, 422): sent again it is refused again. */
export class RequestRefused extends Schema.TaggedError<RequestRefused>()("RequestRefused", {
  status: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    return `the server refused the request (${this.status}): ${this.reason}`
  }
}

/** A tensor's data is not what its shape says; nothing was sent. */
export class TensorInvalid extends Schema.TaggedError<TensorInvalid>()("TensorInvalid", {
  name: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `the tensor "${this.name}" ${this.reason}`
  }
}

/** The server wants a token, or another one, or closes the route (401, 403). */
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

/** The server cannot answer now and may later (429, 502, 503), after `retryAfter` seconds where it said so. */
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

/** The answer did not come in time: by the caller's own clock, or by the server's (408, 504). */
export class TimedOut extends Schema.TaggedError<TimedOut>()("TimedOut", { reason: Schema.String }) {
  override get message(): string {
    return `no answer in time: ${this.reason}`
  }
}

/** The server met a fault (500), or does not do what was asked (501). */
export class ServerFailed extends Schema.TaggedError<ServerFailed>()("ServerFailed", {
  status: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    return `the server could not do it (${this.status}): ${this.reason}`
  }
}

/** Nobody answers at this address, or the connection broke. */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", {
  url: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.url} gave no answer (${this.reason}); see whether a server listens there`
  }
}

/** What answered does not speak the protocol, or gave other outputs than were asked for. */
export class AnswerInvalid extends Schema.TaggedError<AnswerInvalid>()("AnswerInvalid", { reason: Schema.String }) {
  override get message(): string {
    return `the answer is not of the Open Inference Protocol: ${this.reason}`
  }
}

/** Any of them. */
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

/** The error that a status means. */
export const fromStatus = (status: number, reason: string, retryAfter: number | undefined): ClientError => {
  if (status === 401 || status === 403) return new TokenRefused({ status, reason })
  if (status === 404) return new NotFound({ reason })
  if (status === 408 || status === 504) return new TimedOut({ reason })
  if (status === 429 || status === 502 || status === 503) return new Unavailable({ status, reason, retryAfter })
  if (status >= 500) return new ServerFailed({ status, reason })
  if (status >= 400) return new RequestRefused({ status, reason })
  return new AnswerInvalid({ reason: `it has the status ${status}` })
}

/** Whether the same call may well succeed a little later. */
export const isTransient = (error: ClientError): error is Unavailable | Unreachable =>
  error._tag === "Unavailable" || error._tag === "Unreachable"
