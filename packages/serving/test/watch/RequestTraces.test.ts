import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, it } from "@effect/vitest"
import { ConfigProvider, Effect, Logger, Schedule } from "effect"
import * as RequestTraces from "../../src/watch/RequestTraces.ts"

/** Collects what is logged during requests, until `enough` holds. */
const told = Effect.fnUntraced(function* (endpoint: string, enough: (lines: ReadonlyArray<unknown>) => boolean) {
  const environment = ConfigProvider.fromUnknown({
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_BSP_SCHEDULE_DELAY: "50"
  })
  const lines: Array<unknown> = []
  const logger = Logger.make(({ logLevel, message }) => void lines.push([logLevel, message]))
  yield* Effect.gen(function* () {
    const observe = (yield* RequestTraces.fromEnvironment)!
    const request = Effect.sync(() => {
      const operation = "POST /v2/models/{model}/infer"
      const end = observe({ protocol: "http", operation, model: "m", requestId: "a", traceparent: undefined })
      end({ status: 200, fault: false, cancelled: false, version: "1", rows: 1 })
    })
    yield* request.pipe(
      Effect.repeat({ until: () => enough(lines), schedule: Schedule.spaced("50 millis") }),
      Effect.timeout("50 seconds")
    )
  }).pipe(
    Effect.scoped,
    Effect.provideService(ConfigProvider.ConfigProvider, environment),
    Effect.provide(Logger.layer([logger]))
  )
  return lines
})

const warning = (endpoint: string, why: string) => [
  "Warn",
  [
    `the collector at ${endpoint}/v1/traces does not take traces: ${why}; requests are answered all the same, their spans may be lost until it does`
  ]
]

it.live("tells once that the collector does not take spans, and again only after it has", () =>
  Effect.gen(function* () {
    const statuses = [503, 503, 200, 503, 200]
    let asked = 0
    const collector = createServer((request, response) => {
      response.statusCode = statuses[asked++] ?? 200
      request.resume().on("end", () => response.setHeader("content-type", "application/json").end("{}"))
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void collector.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () => Effect.callback<void>((resume) => void collector.close(() => resume(Effect.void)))
    )
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
    const lines = yield* told(endpoint, () => asked >= statuses.length)
    assert.deepStrictEqual(lines, Array(2).fill(warning(endpoint, "it answered 503")))
  })
)

it.live("says why, and no password", () =>
  Effect.gen(function* () {
    // Nothing listens on a port that was free a moment ago.
    const free = createServer()
    yield* Effect.callback<void>((resume) => void free.listen(0, "127.0.0.1", () => resume(Effect.void)))
    const { port } = free.address() as AddressInfo
    yield* Effect.callback<void>((resume) => void free.close(() => resume(Effect.void)))
    const some = (lines: ReadonlyArray<unknown>) => lines.length > 0
    const nowhere = `http://127.0.0.1:${port}`
    assert.deepStrictEqual(yield* told(nowhere, some), [warning(nowhere, "it is not reached: ECONNREFUSED")])
    assert.deepStrictEqual(yield* told("http://user:secret@127.0.0.1:4318", some), [
      warning("http://REDACTED:REDACTED@127.0.0.1:4318", "it is not reached")
    ])
  })
)
