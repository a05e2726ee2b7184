/**
 * One OpenTelemetry span per request, sent where `OTEL_EXPORTER_OTLP_ENDPOINT` says; the client's `traceparent` is its parent.
 */
import {
  Clock,
  Config,
  ConfigProvider,
  Context,
  Effect,
  Exit,
  Layer,
  Option,
  References,
  type Scope,
  Tracer
} from "effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpTraceContext from "effect/http/HttpTraceContext"
import * as UrlParams from "effect/http/UrlParams"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import type { RequestObserver } from "./RequestObserver.ts"

const parentOf = (traceparent: string | undefined): Option.Option<Tracer.AnySpan> =>
  traceparent === undefined ? Option.none() : HttpTraceContext.w3c(Headers.fromRecordUnsafe({ traceparent }))

/** Makes an observer that gives the context's tracer a span for each request. */
export const make: Effect.Effect<RequestObserver> = Effect.gen(function* () {
  const tracer = yield* Tracer.Tracer
  const clock = yield* Clock.Clock
  return ({ model, operation, protocol, requestId, traceparent }) => {
    const parent = parentOf(traceparent)
    const span = tracer.span({
      name: operation,
      parent,
      annotations: Context.empty(),
      links: [],
      startTime: clock.currentTimeNanosUnsafe(),
      kind: "server",
      root: Option.isNone(parent),
      sampled: Option.isNone(parent) || parent.value.sampled
    })
    return ({ cancelled = false, fault, rows, status, version }) => {
      const attributes = {
        [protocol === "http" ? "http.response.status_code" : "rpc.grpc.status_code"]: status,
        "rai.model": model,
        "rai.version": version,
        "rai.batch_size": rows,
        "rai.request_id": requestId,
        "rai.cancelled": cancelled || undefined
      }
      for (const [key, value] of Object.entries(attributes)) if (value !== undefined) span.attribute(key, value)
      span.end(clock.currentTimeNanosUnsafe(), fault ? Exit.fail(`status ${status}`) : Exit.void)
    }
  }
})

// A value that is not a URL is an error; left to itself, Effect would skip it and take the other.
const endpoint = Config.all([
  Config.option(Config.URL("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")),
  Config.option(Config.URL("OTEL_EXPORTER_OTLP_ENDPOINT"))
]).pipe(Config.map(Option.firstSomeOf))

const why = ({ reason }: HttpClientError): string => {
  if (reason._tag === "StatusCodeError") return `it answered ${reason.response.status}`
  // The text of fetch's own error may contain the URL, and that a password.
  const inner = reason.cause instanceof Error ? reason.cause.cause : undefined
  if (!(inner instanceof Error)) return "it is not reached"
  return `it is not reached: ${"code" in inner ? inner.code : inner.message}`
}

/**
 * The client that spans are sent with. The exporter reports failures at debug level only; here the first is logged, and none after it until the
 * collector has accepted spans again.
 */
const client = Layer.effect(
  HttpClient.HttpClient,
  Effect.map(HttpClient.HttpClient, (client) => {
    let refused = false
    return client.pipe(
      HttpClient.filterStatusOk,
      HttpClient.tap(() =>
        Effect.sync(() => {
          refused = false
        })
      ),
      HttpClient.tapError((error) => {
        if (refused) return Effect.void
        refused = true
        const place = UrlParams.redactUrl(error.request.url)
        return Effect.logWarning(
          `the collector at ${place} does not take traces: ${why(error)}; requests are answered all the same, their spans may be lost until it does`
        ).pipe(Effect.provideService(References.CurrentLogAnnotations, {}))
      })
    )
  })
).pipe(Layer.provide(FetchHttpClient.layer))

// By OpenTelemetry's specification OTLP is the default exporter; Effect wants it stated.
const otlp = ConfigProvider.fromUnknown({ OTEL_TRACES_EXPORTER: "otlp" })

/** The same, sending to the collector that OpenTelemetry's environment variables name; undefined where they name none. */
export const fromEnvironment: Effect.Effect<RequestObserver | undefined, Config.ConfigError, Scope.Scope> = Effect.gen(
  function* () {
    if (Option.isNone(yield* endpoint)) return undefined
    const serviceName = yield* Config.String("OTEL_SERVICE_NAME").pipe(Config.withDefault("rai"))
    const exporter = OtlpTracer.layerFromConfig({ resource: { serviceName } }).pipe(
      Layer.provide(Layer.merge(OtlpSerialization.layerJson, client)),
      Layer.provide(ConfigProvider.layerAdd(otlp))
    )
    // The layer treats unreadable variables as a defect of the program.
    const built = Layer.build(exporter).pipe(
      Effect.catchDefect((defect) => (defect instanceof Config.ConfigError ? Effect.fail(defect) : Effect.die(defect)))
    )
    return yield* Effect.provide(make, yield* built)
  }
)
