/**
 * The Open Inference Protocol over HTTP: which path and verb is which operation.
 */
import { Effect } from "effect"
import * as ByteSize from "effect/ByteSize"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import { DataPlane, type ModelName } from "../DataPlane.ts"
import { BodyTooLarge, NotSupported, type RequestError, RequestInvalid } from "../RequestError.ts"
import * as Answer from "./Answer.ts"
import * as JsonRequest from "./JsonRequest.ts"

type Handler = Effect.Effect<
  HttpServerResponse,
  RequestError,
  HttpServerRequest.HttpServerRequest | HttpRouter.RouteContext
>

interface Route {
  readonly verb: "GET" | "POST"
  readonly path: HttpRouter.PathInput
  readonly handler: Handler
}

const verbs = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"] as const

const modelName = Effect.map(HttpRouter.params, ({ model = "", version }): ModelName => ({ model, version }))

const readBody = (limit: number) =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    if (request.headers["inference-header-content-length"] !== undefined) {
      return yield* new NotSupported({
        reason: "binary tensor data is not served yet; send the tensors as JSON (tritonclient: binary_data=False)"
      })
    }
    if (Number(request.headers["content-length"] ?? 0) > limit) return yield* new BodyTooLarge({ limit })
    return yield* request.text.pipe(
      Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(limit)),
      Effect.mapError(({ reason }) =>
        reason._tag === "RequestParseError" && reason.reason === "BodyTooLarge"
          ? new BodyTooLarge({ limit })
          : new RequestInvalid({ reason: "the body ended early or could not be read; send it again" })
      )
    )
  })

const routesOf = (plane: DataPlane["Service"], limit: number): ReadonlyArray<Route> => {
  const get = (path: HttpRouter.PathInput, handler: Handler): Route => ({ verb: "GET", path, handler })
  const pointer =
    "this server speaks the Open Inference Protocol: GET /v2 for its name, POST /v2/models/{model}/infer to ask"
  const metadata = modelName.pipe(Effect.flatMap(plane.modelMetadata), Effect.map(Answer.metadata))
  const ready = Effect.gen(function* () {
    const name = yield* modelName
    yield* plane.modelReady(name)
    return Answer.json({ name: name.model, ready: true })
  })
  const infer = Effect.gen(function* () {
    const name = yield* modelName
    // Before the body is read: an unknown model should not cost its transfer.
    yield* plane.modelReady(name)
    const request = yield* Effect.flatMap(readBody(limit), JsonRequest.read)
    return Answer.inference(yield* plane.infer(name, request))
  })
  return [
    get("/", Effect.succeed(Answer.json({ message: pointer }))),
    get("/v2", Effect.succeed(Answer.json(plane.serverMetadata))),
    get("/v2/health/live", Effect.succeed(Answer.json({ live: true }))),
    get("/v2/health/ready", Effect.as(plane.serverReady, Answer.json({ ready: true }))),
    ...(["/v2/models/:model", "/v2/models/:model/versions/:version"] as const).flatMap(
      (model): ReadonlyArray<Route> => [
        get(model, metadata),
        get(`${model}/ready`, ready),
        { verb: "POST", path: `${model}/infer`, handler: infer }
      ]
    )
  ]
}

const unknownRoute = Answer.error("there is no such route; GET / says what this server speaks", 404)

const isRouteNotFound = (error: unknown): boolean =>
  HttpServerError.isHttpServerError(error) && error.reason._tag === "RouteNotFound"

/** Registers every route; a body may hold `maxBodyBytes`. */
export const layer = (maxBodyBytes: number) =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const plane = yield* DataPlane
      for (const { verb, path, handler } of routesOf(plane, maxBodyBytes)) {
        const answered = handler.pipe(
          Effect.catch((reason) => Effect.succeed(Answer.failure(reason))),
          Effect.catchDefect(Answer.defect)
        )
        yield* router.add(verb, path, answered)
        const wrong = verbs.filter((other) => other !== verb)
        yield* Effect.forEach(wrong, (other) =>
          router.add(
            other,
            path,
            Effect.succeed(Answer.error(`${path} takes ${verb}; ${other} came; send ${verb}`, 405))
          )
        )
      }
      yield* router.addGlobalMiddleware(
        Effect.catchCause((cause) =>
          cause.reasons.some((reason) => reason._tag === "Fail" && isRouteNotFound(reason.error))
            ? Effect.succeed(unknownRoute)
            : Effect.failCause(cause)
        )
      )
    })
  )
