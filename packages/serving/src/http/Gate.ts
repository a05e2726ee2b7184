/**
 * What every request passes before it is routed: known verbs, pages of other origins, the token that opens all routes.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import * as Access from "../Access.ts"
import * as PageRoutes from "../page/PageRoutes.ts"
import * as Reply from "./Reply.ts"

/** Whose requests may pass. */
export interface Options {
  readonly access: Access.Access
  /** Origins whose pages may send requests, `*` for any; none unless set. */
  readonly cors: ReadonlyArray<string>
}

const known = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"])

const exposed = "inference-header-content-length, retry-after, x-request-id"
const taken =
  "authorization, content-type, content-encoding, inference-header-content-length, x-request-timeout-ms, x-request-id, traceparent, b3"

// A probe brings no token, and learns nothing about any model.
const health = /^\/v2\/health\/(?:live|ready)(?:\?|$)/

const allowOrigin = (cors: ReadonlyArray<string>, origin: string, response: ServerResponse): boolean => {
  if (!cors.includes("*")) response.setHeader("vary", "origin")
  if (!cors.includes("*") && !cors.includes(origin)) return false
  response.setHeader("access-control-allow-origin", cors.includes("*") ? "*" : origin)
  response.setHeader("access-control-expose-headers", exposed)
  return true
}

/** Returns the answer to a request that goes no further; undefined where it passes. */
export const stop = (
  { access, cors }: Options,
  request: IncomingMessage,
  response: ServerResponse
): Reply.Reply | undefined => {
  const { method = "", headers } = request
  if (!known.has(method)) {
    return Reply.error(`this server takes GET and POST; ${method} came`, 405, { allow: "GET, HEAD, POST" })
  }
  const { origin } = headers
  if (cors.length > 0 && origin !== undefined) {
    const allowed = allowOrigin(cors, origin, response)
    if (allowed && method === "OPTIONS" && headers["access-control-request-method"] !== undefined) {
      response.setHeader("access-control-allow-methods", "GET, HEAD, POST")
      response.setHeader("access-control-allow-headers", taken)
      return { status: 204, headers: {}, body: "" }
    }
  }
  if (health.test(request.url ?? "") || PageRoutes.isFor(method, request.url, headers.accept)) return undefined
  const refusal = Access.refusal(access, "other", headers.authorization)
  return refusal === undefined ? undefined : Reply.failure(refusal)
}
