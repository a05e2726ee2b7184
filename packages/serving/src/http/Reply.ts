/**
 * An HTTP answer, whoever sends it: node's response on the infer route, Effect's on all others.
 */
import type { RequestError } from "../RequestError.ts"

/** A status, headers in lower case, and the body. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

const statuses: Readonly<Record<RequestError["_tag"], number>> = {
  RequestInvalid: 400,
  LoadRefused: 400,
  Unauthenticated: 401,
  AdminClosed: 403,
  ModelUnknown: 404,
  BodyTooLarge: 413,
  InferenceFailed: 422,
  NotSupported: 501,
  ModelUnavailable: 503,
  Overloaded: 503,
  Draining: 503,
  DeadlineExceeded: 504
}

const jsonHeaders = { "content-type": "application/json" }

/** JSON text. */
export const text = (body: string, status = 200, headers: Reply["headers"] = {}): Reply => ({
  status,
  headers: { ...jsonHeaders, ...headers },
  body
})

/** `{"error": message}` with a status. */
export const error = (message: string, status: number, headers: Reply["headers"] = {}): Reply =>
  text(JSON.stringify({ error: message }), status, headers)

const headersOf = (reason: RequestError): Reply["headers"] => {
  switch (reason._tag) {
    case "Unauthenticated":
      return { "www-authenticate": 'Bearer realm="inference"' }
    case "Overloaded":
      return { "retry-after": String(reason.retryAfter) }
    case "ModelUnavailable":
    case "Draining":
      return { "retry-after": "1" }
    default:
      return {}
  }
}

/** A request's error with the status and headers that belong to it. */
export const failure = (reason: RequestError): Reply => error(reason.message, statuses[reason._tag], headersOf(reason))

/** A fault of this server's own; what it was is for the log. */
export const fault: Reply = error("the server met a fault of its own; its log says which", 500)
