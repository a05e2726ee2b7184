/**
 * The infer route, handled on node's server before Effect's router: no fiber and no schema, because every request pays for each microsecond.
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import { Result } from "effect"
import type { Cancel, DataPlane, ModelName } from "../DataPlane.ts"
import { type InferRequest, type InferResponse, quote } from "../InferTensor.ts"
import type { ModelSignature } from "../ModelSignature.ts"
import { type RequestError, RequestInvalid } from "../RequestError.ts"
import * as RequestParameters from "../RequestParameters.ts"
import * as Body from "./Body.ts"
import * as Held from "./Held.ts"
import * as InferReply from "./InferReply.ts"
import * as JsonRequest from "./JsonRequest.ts"
import type { Limits } from "./Limits.ts"
import * as OutputForm from "./OutputForm.ts"
import * as RawRequest from "./RawRequest.ts"
import * as Reply from "./Reply.ts"
import * as Send from "./Send.ts"

const path = /^\/v2\/models\/([^/?#]+)(?:\/versions\/([^/?#]+))?\/infer(?:\?|$)/

const nothing = new Uint8Array(0)

const invalid = (reason: string) => Result.fail(new RequestInvalid({ reason }))

/** The model that an infer request's path names; undefined for any other path. */
export const modelOf = (url: string): ModelName | undefined => {
  const match = path.exec(url)
  if (match === null) return undefined
  const [, model = "", version] = match
  if (!url.includes("%")) return { model, version }
  const decoded = Result.try(() => ({
    model: decodeURIComponent(model),
    version: version === undefined ? version : decodeURIComponent(version)
  }))
  return Result.getOrUndefined(decoded)
}

const readBody = (
  body: Uint8Array,
  headerLength: string | undefined,
  signature: ModelSignature | undefined,
  limits: Limits
): Result.Result<InferRequest, RequestError> => {
  if (headerLength === undefined) return JsonRequest.read(body, nothing, limits)
  const length = /^\d{1,15}$/.test(headerLength) ? Number(headerLength) : Number.NaN
  if (!(length <= body.length)) {
    return invalid(
      `Inference-Header-Content-Length must be the length of the JSON, from 0 to the body's ${body.length} bytes; ${quote(headerLength)} came; correct it`
    )
  }
  if (length === 0) return RawRequest.read(body, signature)
  return JsonRequest.read(body.subarray(0, length), body.subarray(length), limits)
}

/** The deadline in `performance.now()` time: from the header in milliseconds, from Triton's parameter, or the earlier of both. */
const readDeadline = (
  arrival: number,
  header: string | undefined,
  request: InferRequest
): Result.Result<number | undefined, RequestInvalid> => {
  if (header !== undefined && !/^\d{1,9}(?:\.\d{1,9})?$/.test(header)) {
    return invalid("the header x-request-timeout-ms must be a number of milliseconds; correct it, or leave it out")
  }
  return Result.map(RequestParameters.timeout(request), (given) => {
    const millis = Math.min(Number(header ?? 0) || Number.POSITIVE_INFINITY, given ?? Number.POSITIVE_INFINITY)
    return millis === Number.POSITIVE_INFINITY ? undefined : arrival + millis
  })
}

/** What the route depends on. */
export interface Options {
  readonly plane: DataPlane["Service"]
  readonly limits: Limits
  readonly held: Held.Held
  /** Called with each answer, where there is an observer. */
  readonly onAnswer?: ((response: ServerResponse, answer: InferResponse) => void) | undefined
  /** Called with a fault of this server's own. */
  readonly onFault: (cause: unknown) => void
}

/** Answers infer requests; `continues` says that the client waits for «100 Continue» before it sends the body. */
export const make =
  ({ plane, limits, held, onAnswer, onFault }: Options) =>
  (name: ModelName, request: IncomingMessage, response: ServerResponse, continues: boolean): void => {
    const arrival = performance.now()
    const { headers } = request
    let answered = false
    // A response over HTTP/2 does not know that it is destroyed.
    let gone = false
    let cancel: Cancel | undefined
    let share: Held.Share | undefined
    let cutOff: (() => void) | undefined

    const reply = (answer: Reply.Reply) => {
      answered = true
      // From here on it waits only for its client. A closure of this route would make requests outlive the collections of the young generation.
      if (share !== undefined) share.giveWay = cutOff
      Send.send(request, response, answer, limits.idleMillis)
    }
    // Nothing in a request may end the process.
    const guarded = (step: () => void) => {
      const done = Result.try(step)
      if (Result.isSuccess(done)) return
      onFault(done.failure)
      if (!response.headersSent) reply(Reply.fault)
    }
    const refuse = (reason: RequestError) => reply(Reply.failure(reason))

    const infer = (body: Uint8Array) => {
      // With no room left, reading the request would only take time from those that wait.
      const full = plane.refusal(name)
      if (full !== undefined) return refuse(full)
      const signature = plane.signature(name)
      const asked = readBody(body, headers["inference-header-content-length"] as string | undefined, signature, limits)
      if (Result.isFailure(asked)) return refuse(asked.failure)
      const forms = OutputForm.read(asked.success, signature)
      if (Result.isFailure(forms)) return refuse(forms.failure)
      const millis = headers["x-request-timeout-ms"] as string | undefined
      const deadline = readDeadline(arrival, millis, asked.success)
      if (Result.isFailure(deadline)) return refuse(deadline.failure)
      cancel = plane.submit(name, asked.success, deadline.success, (result) =>
        guarded(() => {
          if (Result.isFailure(result)) return refuse(result.failure)
          onAnswer?.(response, result.success)
          const written = InferReply.write(result.success, forms.success, limits.jsonElements)
          if (Result.isFailure(written)) return refuse(written.failure)
          reply(written.success)
        })
      )
    }

    response.on("close", () => {
      gone = true
      if (share !== undefined) Held.release(held, share)
      if (!answered) cancel?.()
    })
    // For an unknown model the body need not be transferred: submitted without inputs, the request fails with what is wrong with the name.
    if (plane.signature(name) === undefined) {
      plane.submit(name, { inputs: [] }, undefined, (result) => {
        if (Result.isFailure(result)) refuse(result.failure)
      })
      return
    }
    const full = plane.refusal(name)
    if (full !== undefined) {
      refuse(full)
      return
    }
    const proceed = () => {
      if (continues) response.writeContinue()
    }
    Body.read(request, limits, held, proceed, (body, taken, cut) => {
      if (gone) return Held.release(held, taken)
      share = taken
      cutOff = cut
      if (Result.isFailure(body)) return reply(body.failure)
      guarded(() => infer(body.success))
    })
  }
