/**
 * Tells the observer of an HTTP server's requests, from outside: what answers them knows nothing of it.
 */
import { randomUUID } from "node:crypto"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { RequestObserver } from "./RequestObserver.ts"

// Health checks and scrapes come every few seconds and say nothing of anybody's request.
const watched = /^\/v2\/(?:models|repository)\//
const named = /^(\/v2\/(?:repository\/)?models\/)([^/?]+)(?:(\/versions\/)([^/?]+))?(\/[a-z]+)?\/?(?:\?|$)/

const plain = /^[\w.:/+=-]{1,128}$/

/** The request's own id where it is one, else a new one. */
export const idOf = ({ headers }: Pick<IncomingMessage, "headers">): string => {
  const given = headers["x-request-id"]
  return typeof given === "string" && plain.test(given) ? given : randomUUID()
}

const decode = (part: string | undefined): string | undefined => {
  if (part === undefined || !part.includes("%")) return part
  return /^(?:[^%]|%[0-7][\da-f])*$/i.test(part) ? decodeURIComponent(part) : part
}

const rowsOf = Symbol.for("@rai/serving/rows")

/** Says how many rows an inference has, for whoever watches. */
export const noteRows = (response: ServerResponse, rows: number): void => {
  Object.assign(response, { [rowsOf]: rows })
}

/** Watches a server before anything listens on it; each answer that is watched bears its request's id. */
export const attach = (server: Server, observer: RequestObserver): void => {
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const { headers, method = "", url = "" } = request
    if (!watched.test(url)) return
    const requestId = idOf(request)
    response.setHeader("x-request-id", requestId)
    const [, start = "", model, versions = "", version, end = ""] = named.exec(url) ?? []
    const route = model === undefined ? "" : ` ${start}{model}${versions === "" ? "" : `${versions}{version}`}${end}`
    const traceparent = typeof headers.traceparent === "string" ? headers.traceparent : undefined
    const tell = observer({
      protocol: "http",
      operation: `${method}${route}`,
      model: decode(model),
      version: decode(version),
      requestId,
      traceparent
    })
    // After its end or, where the client went away, without one.
    response.once("close", () => {
      const status = response.statusCode
      const rows = (response as { readonly [rowsOf]?: number })[rowsOf]
      tell({
        status,
        fault: status >= 500 && status !== 501 && status !== 503,
        cancelled: !response.writableEnded,
        rows
      })
    })
  })
}
