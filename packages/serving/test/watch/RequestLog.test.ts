import { assert, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import * as RequestLog from "../../src/watch/RequestLog.ts"

it.effect("no client writes a line of its own", () => {
  const lines: Array<unknown> = []
  const logger = Logger.map(Logger.formatStructured, ({ annotations }) => void lines.push(annotations))
  return Effect.gen(function* () {
    const observe = yield* RequestLog.make({ all: true })
    const operation = "POST /v2/models/{model}/versions/{version}/infer"
    const model = "a\n[10:00:00.000] ERROR (#1): «all is lost»\u001b[2J\u009b\u2028"
    const end = observe({ protocol: "http", operation, model, requestId: "a", traceparent: undefined })
    end({ status: 404, fault: false, cancelled: false, version: "1\r\n2", rows: undefined })
    yield* Effect.yieldNow
    const written = {
      model: "a\\u000a[10:00:00.000] ERROR (#1): «all is lost»\\u001b[2J\\u009b\\u2028",
      version: "1\\u000d\\u000a2"
    }
    assert.lengthOf(lines, 1)
    assert.deepInclude(lines[0], written)
  }).pipe(Effect.provide(Logger.layer([logger])))
})
