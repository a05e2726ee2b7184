/**
 * Reports an HTTP server's requests to the observer, from outside: the code that answers them does not know of it.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { InferResponse } from "../InferTensor.ts"
import * as RequestId from "./RequestId.ts"
import type { RequestObserver } from "./RequestObserver.ts"

// Health checks and scrapes come every few seconds and say nothing about anyone's request; but a scrape that fails has to be found.
const health = /^\/v2\/health\/(?:live|ready)(?:\?|$)/
const scrape = /^\/metrics(?:\?|$)/
// Other paths are whatever a client writes, and no name for an operation.
const plain = /^(\/(?:v2|v2\/repository\/index|metrics|docs|openapi\.json)?)(?:\?|$)/
const named = /^(\/v2\/(?:repository\/)?models\/)([^/?]+)(?:(\/versions\/)([^/?]+))?(\/[a-z]+)?\/?(?:\?|$)/

const decode = (part: string | undefined): string | undefined =>
  part?.includes("%") && /^(?:[^%]|%[0-7][\da-f])*$/i.test(part) ? decodeURIComponent(part) : part

interface Noted {
  rai?: { readonly version: string; readonly rows: number | undefined }
}

/** Notes what a request was answered with, for the observer. */
export const note = (response: ServerResponse & Noted, { outputs, version }: InferResponse): void => {
  response.rai = { version, rows: outputs[0]?.shape[0] }
}

/** Observes a request before it is answered; the answer carries its id. */
export const make =
  (observer: RequestObserver) =>
  (request: IncomingMessage, response: ServerResponse & Noted): void => {
    const { headers, method = "", url = "" } = request
    if (health.test(url)) return
    const requestId = RequestId.of(headers["x-request-id"])
    response.setHeader("x-request-id", requestId)
    const [, start = "", model, versions = "", version, end = ""] = named.exec(url) ?? []
    const [, path] = plain.exec(url) ?? []
    const ofModel = `${start}{model}${versions === "" ? "" : `${versions}{version}`}${end}`
    const route = model === undefined ? path : ofModel
    const { traceparent } = headers
    const begin = () =>
      observer({
        protocol: "http",
        operation: route === undefined ? method : `${method} ${route}`,
        model: decode(model),
        requestId,
        traceparent: typeof traceparent === "string" ? traceparent : undefined
      })
    const tell = scrape.test(url) ? undefined : begin()
    response.once("close", () => {
      const { rai: answer, statusCode: status, writableEnded } = response
      if (tell === undefined && status < 400) return
      ;(tell ?? begin())({
        status,
        fault: status === 500,
        cancelled: !writableEnded,
        version: answer?.version ?? decode(version),
        rows: answer?.rows
      })
    })
  }
