/**
 * The protocol's calls as Effects.
 *
 * ```ts
 * import { InferenceClient, Tensor } from "@rai/client"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const client = yield* InferenceClient.InferenceClient
 *   const x = Tensor.make("FP32", [2, 2], [0.5, 1, -1, 0])
 *   const { outputs } = yield* client.infer("moons", { x }, { outputs: { probability: "FP32" } })
 *   return outputs.probability.data // a Float32Array
 * })
 * const layer = InferenceClient.layer({ url: "http://127.0.0.1:8080", timeout: "2 seconds", retries: 3 })
 * const answered = await Effect.runPromiseExit(Effect.provide(program, layer))
 * answered._tag // "Success" where a server listens there
 * ```
 */
import { Context, Duration, Effect, Layer, Redacted, Result, Schedule, Schema } from "effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import {
  AnswerInvalid,
  type ClientError,
  fromStatus,
  isTransient,
  type TensorInvalid,
  TimedOut,
  Unreachable
} from "./ClientError.ts"
import * as InferBody from "./InferBody.ts"
import type { Datatype, Tensor } from "./Tensor.ts"

/** The server's address, and how calls to it are made. */
export interface Options {
  /** Base URL, the part before `/v2` in each call, such as `http://127.0.0.1:8080`. */
  readonly url: string
  /** Sent as a bearer token with every call. */
  readonly token?: string | Redacted.Redacted<string> | undefined
  /** Time limit for a call, retries included; unlimited by default. */
  readonly timeout?: Duration.Input | undefined
  /** How often a call is retried if the server is overloaded or unreachable (see `retries`); 0 by default. */
  readonly retries?: number | undefined
}

/** A version of a model; by default the latest that is ready. */
export interface Version {
  readonly version?: string | undefined
}

/** Options of an inference; `outputs` names the outputs wanted and the datatype that each is read as. */
export interface InferOptions<Outputs extends Readonly<Record<string, Datatype>>> extends Version {
  readonly outputs?: Outputs | undefined
  /** Request id, echoed in the answer. */
  readonly id?: string | undefined
  readonly parameters?: InferBody.Parameters | undefined
}

/** A model's answer, with its outputs by name. */
export interface InferResult<Outputs extends Readonly<Record<string, Datatype>>> {
  readonly model: string
  readonly version: string | undefined
  readonly id: string | undefined
  readonly outputs: { readonly [Name in keyof Outputs]: Tensor<Outputs[Name]> }
}

const ServerMetadata = Schema.Struct({
  name: Schema.String,
  version: Schema.String,
  extensions: Schema.Array(Schema.String)
})

/** Which server this is, and which protocol extensions it supports. */
export type ServerMetadata = typeof ServerMetadata.Type

const TensorMetadata = Schema.Struct({
  name: Schema.String,
  datatype: Schema.String,
  /** Lengths of the axes; -1 where the model leaves one open. */
  shape: Schema.Array(Schema.Int)
})

const ModelMetadata = Schema.Struct({
  name: Schema.String,
  versions: Schema.optionalKey(Schema.Array(Schema.String)),
  platform: Schema.String,
  inputs: Schema.Array(TensorMetadata),
  outputs: Schema.Array(TensorMetadata),
  parameters: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown))
})

/** A model's inputs and outputs. */
export type ModelMetadata = typeof ModelMetadata.Type

const Index = Schema.Array(
  Schema.Struct({
    name: Schema.String,
    version: Schema.optionalKey(Schema.String),
    state: Schema.optionalKey(Schema.String),
    reason: Schema.optionalKey(Schema.String)
  })
)

/** The repository's models: `state` is `READY`, `LOADING`, `UNLOADING` or `UNAVAILABLE`; `reason` says why a model is not ready. */
export type Index = typeof Index.Type

/** How to load a model: settings as JSON text, and files by name that replace those in its folder. */
export interface LoadOptions {
  readonly config?: string | undefined
  readonly files?: Readonly<Record<string, Uint8Array>> | undefined
}

/** The client's calls as a service. */
export class InferenceClient extends Context.Service<
  InferenceClient,
  {
    /** Succeeds where the server takes requests and, if it has models to serve, any of them answers; `modelReady` tells of one model. */
    readonly serverReady: Effect.Effect<void, ClientError>
    readonly serverMetadata: Effect.Effect<ServerMetadata, ClientError>
    readonly modelReady: (model: string, version?: Version) => Effect.Effect<void, ClientError>
    readonly modelMetadata: (model: string, version?: Version) => Effect.Effect<ModelMetadata, ClientError>
    /** Runs an inference; interrupting it closes the connection, and the server removes the request from its queue. */
    readonly infer: <const Outputs extends Readonly<Record<string, Datatype>> = Readonly<Record<string, Datatype>>>(
      model: string,
      inputs: Readonly<Record<string, Tensor>>,
      options?: InferOptions<Outputs>
    ) => Effect.Effect<InferResult<Outputs>, ClientError>
    readonly index: Effect.Effect<Index, ClientError>
    /** Loads or reloads a model; needs the server's admin token. */
    readonly load: (model: string, options?: LoadOptions) => Effect.Effect<void, ClientError>
    /** Unloads a model; needs the server's admin token. */
    readonly unload: (model: string) => Effect.Effect<void, ClientError>
  }
>()("@rai/client/InferenceClient") {}

/**
 * The retry policy: waits for the seconds in the server's `Retry-After`, else for 0.1 s, 0.2 s, 0.4 s, …, each ±20 %. Only `Unavailable` and
 * `Unreachable` are retried.
 */
export const retries = (times: number) => ({
  while: isTransient,
  schedule: Schedule.exponential("100 millis").pipe(
    Schedule.jittered,
    Schedule.setInputType<ClientError>(),
    Schedule.modifyDelay(({ duration, input }) =>
      Effect.succeed(
        input._tag === "Unavailable" && input.retryAfter !== undefined ? Duration.seconds(input.retryAfter) : duration
      )
    ),
    Schedule.upTo({ times })
  )
})

/** The innermost error's message: those around it say only that a fetch failed. Errors of several addresses have a code and no message. */
const why = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  if (error.cause !== undefined) return why(error.cause)
  return error.message || ("code" in error ? String(error.code) : "no reason given")
}

const ErrorBody = Schema.fromJsonString(Schema.Struct({ error: Schema.String }))
const decodeError = Schema.decodeUnknownResult(ErrorBody)

const failureOf = Effect.fnUntraced(function* (response: HttpClientResponse.HttpClientResponse) {
  const text = yield* response.text.pipe(Effect.orElseSucceed(() => ""))
  const body = decodeError(text)
  const reason = Result.isSuccess(body) ? body.success.error : text.trim().slice(0, 200) || "it gave no reason"
  const seconds = Number(response.headers["retry-after"])
  return fromStatus(response.status, reason, Number.isFinite(seconds) ? seconds : undefined)
})

const base64 = (bytes: Uint8Array): string => {
  let text = ""
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768))
  return btoa(text)
}

const wrongOutput = (
  wanted: Readonly<Record<string, Datatype>>,
  outputs: Readonly<Record<string, Tensor>>
): string | undefined => {
  for (const [name, datatype] of Object.entries(wanted)) {
    const came = outputs[name]?.datatype
    if (came === undefined) return `the output "${name}" was asked for and is not in it`
    if (came !== datatype) return `the output "${name}" was asked for as ${datatype} and is ${came}; ask for it as such`
  }
  return undefined
}

/** A client over the `HttpClient` in the context, which may carry middleware of its own. */
export const make = ({ retries: times = 0, timeout, token, url }: Options) =>
  Effect.gen(function* () {
    const http = yield* HttpClient.HttpClient
    const base = url.replace(/\/+$/, "")
    const secret = Redacted.isRedacted(token) ? Redacted.value(token) : token
    // An error about a header quotes it.
    const unreachable = (error: unknown) =>
      new Unreachable({ url: base, reason: secret ? why(error).replaceAll(secret, "…") : why(error) })

    const send = Effect.fnUntraced(function* (request: HttpClientRequest.HttpClientRequest) {
      const authorised = token === undefined ? request : HttpClientRequest.bearerToken(request, token)
      const response = yield* Effect.mapError(http.execute(authorised), unreachable)
      if (response.status < 200 || response.status > 299) return yield* yield* failureOf(response)
      const bytes = yield* Effect.mapError(response.arrayBuffer, unreachable)
      return { bytes: new Uint8Array(bytes), headers: response.headers }
    })

    const within = <A>(call: Effect.Effect<A, ClientError>): Effect.Effect<A, ClientError> => {
      const tried = times === 0 ? call : Effect.retry(call, retries(times))
      if (timeout === undefined) return tried
      const reason = `the time that was given, ${Duration.format(Duration.fromInputUnsafe(timeout))}, is over; give more or ask for less at once`
      return Effect.timeoutOrElse(tried, { duration: timeout, orElse: () => Effect.fail(new TimedOut({ reason })) })
    }

    const get = (path: string) => send(HttpClientRequest.get(`${base}${path}`))
    const post = (path: string, body: unknown) =>
      send(HttpClientRequest.bodyJsonUnsafe(HttpClientRequest.post(`${base}${path}`), body))

    const json = <S extends Schema.ConstraintDecoder<unknown>>(
      schema: S,
      call: Effect.Effect<{ readonly bytes: Uint8Array }, ClientError>
    ): Effect.Effect<S["Type"], ClientError> => {
      const decode = Schema.decodeUnknownResult(Schema.fromJsonString(schema))
      return within(
        Effect.flatMap(call, ({ bytes }) => {
          const read = decode(new TextDecoder().decode(bytes))
          return Result.isSuccess(read)
            ? Effect.succeed(read.success)
            : Effect.fail(new AnswerInvalid({ reason: read.failure.message.split("\n")[0] ?? "" }))
        })
      )
    }

    const route = (model: string, { version }: Version = {}) =>
      `/v2/models/${encodeURIComponent(model)}${version === undefined ? "" : `/versions/${encodeURIComponent(version)}`}`
    const repository = (model: string) => `/v2/repository/models/${encodeURIComponent(model)}`

    const ask = Effect.fnUntraced(function* (
      model: string,
      inputs: Readonly<Record<string, Tensor>>,
      { id, outputs, parameters, version }: InferOptions<Readonly<Record<string, Datatype>>>
    ): Effect.fn.Return<InferBody.Answer, ClientError> {
      const request = { id, parameters, outputs: outputs === undefined ? undefined : Object.keys(outputs) }
      const body = yield* Effect.fromResult<InferBody.InferBody, TensorInvalid>(InferBody.write(inputs, request))
      const { bytes, headers } = yield* send(
        HttpClientRequest.post(`${base}${route(model, { version })}/infer`).pipe(
          HttpClientRequest.setHeader("inference-header-content-length", String(body.headerLength)),
          HttpClientRequest.bodyUint8Array(body.bytes, "application/octet-stream")
        )
      )
      const length = headers["inference-header-content-length"]
      const answer = yield* Effect.fromResult(InferBody.read(bytes, length === undefined ? undefined : Number(length)))
      const reason = outputs === undefined ? undefined : wrongOutput(outputs, answer.outputs)
      if (reason !== undefined) return yield* new AnswerInvalid({ reason })
      return answer
    })

    return InferenceClient.of({
      serverReady: within(Effect.asVoid(get("/v2/health/ready"))),
      serverMetadata: json(ServerMetadata, get("/v2")),
      modelReady: (model, version) => within(Effect.asVoid(get(`${route(model, version)}/ready`))),
      modelMetadata: (model, version) => json(ModelMetadata, get(route(model, version))),
      infer: <const Outputs extends Readonly<Record<string, Datatype>>>(
        model: string,
        inputs: Readonly<Record<string, Tensor>>,
        options: InferOptions<Outputs> = {}
      ) => within(ask(model, inputs, options)) as Effect.Effect<InferResult<Outputs>, ClientError>, // safe: `ask` has checked the outputs
      index: json(Index, post("/v2/repository/index", {})),
      load: (model, { config, files = {} } = {}) => {
        const contents = Object.entries(files).map(([name, bytes]) => [`file:${name}`, base64(bytes)])
        const parameters = { ...(config === undefined ? {} : { config }), ...Object.fromEntries(contents) }
        return within(Effect.asVoid(post(`${repository(model)}/load`, { parameters })))
      },
      unload: (model) => within(Effect.asVoid(post(`${repository(model)}/unload`, {})))
    })
  })

/** A client over `fetch`, for browsers and Node. */
export const layer = (options: Options): Layer.Layer<InferenceClient> =>
  Layer.effect(InferenceClient, make(options)).pipe(Layer.provide(FetchHttpClient.layer))
