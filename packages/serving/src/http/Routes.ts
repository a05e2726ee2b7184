/**
 * The Open Inference Protocol and Triton's extensions over HTTP: which path and verb is which operation. Only the infer route is not here: it is
 * handled before (`InferRoute`).
 */
import { Effect } from "effect"
import * as ByteSize from "effect/ByteSize"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Access from "../Access.ts"
import { DataPlane, type ModelName } from "../DataPlane.ts"
import * as PageRoutes from "../page/PageRoutes.ts"
import { BodyTooLarge, NotSupported, type RequestError, RequestInvalid } from "../RequestError.ts"
import * as TritonForms from "../TritonForms.ts"
import * as Metrics from "../watch/Metrics.ts"
import * as Answer from "./Answer.ts"
import * as Docs from "./Docs.ts"
import type { Limits } from "./Limits.ts"
import * as LoadRequest from "./LoadRequest.ts"
import * as OpenApi from "./OpenApi.ts"

type Handler = Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  RequestError,
  HttpServerRequest.HttpServerRequest | HttpRouter.RouteContext
>

interface Route {
  readonly verbs: ReadonlyArray<"GET" | "POST">
  readonly path: HttpRouter.PathInput
  readonly handler: Handler
}

/** What the routes depend on. */
export interface Options {
  readonly access: Access.Access
  readonly limits: Limits
}

const verbs = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"] as const

const modelName = Effect.map(HttpRouter.params, ({ model = "", version }): ModelName => ({ model, version }))

// Maximum number of bytes in a body that says hardly anything: for the repository's index, and to unload a model.
const smallBody = 64 * 1024

const readBody = Effect.fnUntraced(function* (limit: number) {
  const request = yield* HttpServerRequest.HttpServerRequest
  if (Number(request.headers["content-length"] ?? 0) > limit) return yield* new BodyTooLarge({ limit })
  const body = yield* request.arrayBuffer.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(limit)),
    Effect.mapError(({ reason }) =>
      reason._tag === "RequestParseError" && reason.reason === "BodyTooLarge"
        ? new BodyTooLarge({ limit })
        : new RequestInvalid({ reason: "the body ended early or could not be read; send it again" })
    )
  )
  return new Uint8Array(body)
})

const absent: ReadonlyArray<readonly [what: string, ...paths: ReadonlyArray<HttpRouter.PathInput>]> = [
  ["log settings over the protocol", "/v2/logging"],
  ["trace settings over the protocol", "/v2/trace/setting", "/v2/models/:model/trace/setting"],
  ["shared memory regions", "/v2/systemsharedmemory/*", "/v2/cudasharedmemory/*"]
]

const pointer =
  "this server speaks the Open Inference Protocol: GET /v2 for its name, POST /v2/models/{model}/infer to ask, GET /docs for the rest"

const routesOf = (plane: DataPlane["Service"], { access, limits }: Options): ReadonlyArray<Route> => {
  const get = (path: HttpRouter.PathInput, handler: Handler): Route => ({ verbs: ["GET"], path, handler })
  const post = (path: HttpRouter.PathInput, handler: Handler): Route => ({ verbs: ["POST"], path, handler })
  const json = <A>(effect: Effect.Effect<A, RequestError, HttpRouter.RouteContext>): Handler =>
    Effect.map(effect, Answer.json)

  const admin = Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) => {
    const refusal = Access.refusal(access, "admin", headers.authorization)
    return refusal === undefined ? Effect.void : Effect.fail(refusal)
  })
  const change = (
    act: (model: string) => Effect.Effect<void, RequestError, HttpServerRequest.HttpServerRequest>
  ): Handler =>
    admin.pipe(
      Effect.andThen(modelName),
      Effect.flatMap(({ model }) => act(model)),
      Effect.as(HttpServerResponse.empty({ status: 200 }))
    )
  const load = change((model) =>
    readBody(limits.bodyBytes).pipe(
      Effect.flatMap((body) => LoadRequest.options(body, limits)),
      Effect.flatMap((options) => plane.load(model, options))
    )
  )
  const unload = change((model) =>
    readBody(smallBody).pipe(
      Effect.flatMap((body) => LoadRequest.readUnload(body, limits)),
      Effect.andThen(plane.unload(model))
    )
  )

  const index = Effect.gen(function* () {
    const onlyReady = yield* LoadRequest.onlyReady(yield* readBody(smallBody), limits)
    const all = yield* plane.index
    return Answer.json(onlyReady ? all.filter(({ state }) => state === "READY") : all)
  })
  const ofModel = (model: `/${string}`): ReadonlyArray<Route> => [
    get(model, json(modelName.pipe(Effect.flatMap(plane.modelMetadata), Effect.map(TritonForms.metadata)))),
    get(
      `${model}/ready`,
      Effect.gen(function* () {
        const name = yield* modelName
        yield* plane.modelReady(name)
        return Answer.json({ name: name.model, ready: true })
      })
    ),
    get(`${model}/config`, json(modelName.pipe(Effect.flatMap(plane.modelConfig), Effect.map(TritonForms.config)))),
    get(`${model}/stats`, json(modelName.pipe(Effect.flatMap(plane.statistics), Effect.map(TritonForms.statistics)))),
    { verbs: [], path: `${model}/infer`, handler: Effect.succeed(unknownRoute) }
  ]
  const ready = plane.serverReady.pipe(
    Effect.as(Answer.json({ ready: true })),
    Effect.catchTag("NoneReady", ({ message }) => Effect.succeed(Answer.error(message, 503, { "retry-after": "1" })))
  )
  const versions = modelName.pipe(
    Effect.flatMap(plane.modelMetadata),
    Effect.map(({ name, versions }) => ({ name, versions }))
  )
  return [
    ...PageRoutes.routes(pointer),
    get("/openapi.json", Effect.succeed(Answer.json(OpenApi.document))),
    get("/docs", Effect.succeed(Answer.html(Docs.page))),
    get("/metrics", Metrics.answer(plane)),
    get("/v2", Effect.succeed(Answer.json(plane.serverMetadata))),
    get("/v2/health/live", Effect.succeed(Answer.json({ live: true }))),
    get("/v2/health/ready", ready),
    get("/v2/models/stats", json(Effect.map(plane.statistics(), TritonForms.statistics))),
    get("/v2/models/:model/versions", json(versions)),
    ...ofModel("/v2/models/:model"),
    ...ofModel("/v2/models/:model/versions/:version"),
    post("/v2/repository/index", index),
    post("/v2/repository/models/:model/load", load),
    post("/v2/repository/models/:model/unload", unload),
    ...absent.flatMap(([what, ...paths]) =>
      paths.map((path): Route => {
        const reason = `this server has no ${what}`
        return { verbs: ["GET", "POST"], path, handler: Effect.fail(new NotSupported({ reason })) }
      })
    )
  ]
}

const unknownRoute = Answer.error("there is no such route; GET / says what this server speaks", 404)

const wrongVerb = (path: string, allowed: ReadonlyArray<string>, came: string) => {
  const takes = allowed.join(" or ")
  return Answer.error(`${path} takes ${takes}; ${came} came; send ${takes}`, 405, { allow: allowed.join(", ") })
}

const isRouteNotFound = (error: unknown): boolean =>
  HttpServerError.isHttpServerError(error) && error.reason._tag === "RouteNotFound"

/** Registers every route. */
export const layer = (options: Options) =>
  HttpRouter.use(
    Effect.fnUntraced(function* (router) {
      const plane = yield* DataPlane
      for (const { verbs: taken, path, handler } of routesOf(plane, options)) {
        const answered = handler.pipe(
          Effect.catch((reason) => Effect.succeed(Answer.failure(reason))),
          Effect.catchDefect(Answer.defect)
        )
        const allowed: ReadonlyArray<string> = taken.length === 0 ? ["POST"] : taken
        yield* Effect.forEach(taken, (verb) => router.add(verb, path, answered))
        const wrong = verbs.filter((verb) => !allowed.includes(verb))
        yield* Effect.forEach(wrong, (verb) => router.add(verb, path, Effect.succeed(wrongVerb(path, allowed, verb))))
      }
      yield* router.addGlobalMiddleware(
        Effect.catchCause((cause) =>
          cause.reasons.some((reason) => reason._tag === "Fail" && isRouteNotFound(reason.error))
            ? Effect.succeed(unknownRoute)
            : Effect.failCause(cause)
        )
      )
      yield* router.addGlobalMiddleware(
        HttpMiddleware.decompression({ maxDecompressedSize: ByteSize.bytes(options.limits.decompressedBytes) })
      )
      yield* router.addGlobalMiddleware(HttpMiddleware.compression({ algorithms: ["gzip", "deflate"] }))
    })
  )
