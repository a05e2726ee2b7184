import { assert, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { GrpcTransport } from "../../src/grpc/GrpcTransport.ts"
import * as RequestObserver from "../../src/watch/RequestObserver.ts"
import { until } from "../Until.ts"
import * as EchoPlane from "./EchoPlane.ts"
import * as Raw from "./Raw.ts"

it.live(
  "whoever watches is told of each request of a stream, of what is refused, and of what is taken back, once",
  () =>
    Effect.gen(function* () {
      const told: Array<RequestObserver.RequestStart & RequestObserver.RequestEnd> = []
      const seen = EchoPlane.make()
      const observer: RequestObserver.RequestObserver = (start) => (end) => told.push({ ...start, ...end })
      const context = yield* Layer.build(
        GrpcTransport.layer({ port: 0, access: { all: Redacted.make("secret") } }).pipe(
          Layer.provide(EchoPlane.layer(seen)),
          Layer.provide(Layer.succeed(RequestObserver.Current, observer))
        )
      )
      const { address } = yield* Effect.provide(GrpcTransport, context)
      const session = yield* Raw.connect(address)
      const authorization = "Bearer secret"
      const stream = Raw.begin(session, Raw.stream, { authorization, "x-request-id": "s" })
      stream.write(Raw.framed(Raw.message(16)))
      stream.write(Raw.framed(Raw.message(8, { modelName: "moons" })))
      stream.end()
      yield* Raw.end(stream)
      yield* Raw.end(Raw.begin(session, Raw.infer, { "x-request-id": "r" }))
      const never = Raw.begin(session, Raw.infer, { authorization, "x-request-id": "c" })
      never.end(Raw.framed(Raw.message(8, { modelName: "never" })))
      yield* until(() => seen.requests.length === 3)
      never.close(8)
      yield* until(() => told.length >= 4)
      yield* Effect.sleep("100 millis")
      const [ModelInfer, ModelStreamInfer] = ["ModelInfer", "ModelStreamInfer"].map(
        (name) => `inference.GRPCInferenceService/${name}`
      )
      assert.deepStrictEqual(
        told.map(({ cancelled, model, operation, requestId, rows, status }) => [
          ...[requestId, operation, model, status, rows, cancelled]
        ]),
        [
          ["s/1", ModelStreamInfer, "echo", 0, 2, false],
          ["s/2", ModelStreamInfer, "moons", 5, undefined, false],
          ["r", ModelInfer, undefined, 16, undefined, false],
          ["c", ModelInfer, "never", 1, undefined, true]
        ]
      )
    })
)
