import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Schedule } from "effect"
import { GRPCInferenceService } from "../../src/grpc/grpc_service_pb.ts"
import * as InferenceServer from "../../src/InferenceServer.ts"
import * as RequestObserver from "../../src/watch/RequestObserver.ts"
import { call, fixtures, tensor } from "../Client.ts"
import * as GrpcClient from "../grpc/GrpcClient.ts"

const seen: Array<RequestObserver.RequestStart & Partial<RequestObserver.RequestEnd>> = []
const observer: RequestObserver.RequestObserver = (start) => (end) => seen.push({ ...start, ...end })

const server = InferenceServer.layer({ repository: fixtures, port: 0, grpcPort: 0, executionProviders: ["cpu"] })

layer(server.pipe(Layer.provide(Layer.succeed(RequestObserver.Current, observer))), { excludeTestServices: true })(
  "whoever watches",
  (it) => {
    const ended = (requestId: string) =>
      Effect.suspend(() => Effect.fromNullishOr(seen.find((each) => each.requestId === requestId))).pipe(
        Effect.retry({ times: 3_000, schedule: Schedule.spaced("10 millis") })
      )
    const x = tensor("x", "FP32", [2, 2], [1, 2, 3, 4])

    it.effect("is told of requests over HTTP, how they ended and by which version", () =>
      Effect.gen(function* () {
        const headers = { "x-request-id": "a" }
        yield* call("/v2/models/sigmoid/infer", { inputs: [x] }, { headers })
        const operation = "POST /v2/models/{model}/infer"
        assert.deepInclude(yield* ended("a"), {
          ...{ protocol: "http", operation, model: "sigmoid", version: "1", rows: 2 },
          ...{ status: 200, fault: false, cancelled: false }
        })
        yield* call("/v2/models/moons/versions/2/infer", { inputs: [x] }, { headers: { "x-request-id": "b" } })
        assert.deepInclude(yield* ended("b"), {
          ...{ operation: "POST /v2/models/{model}/versions/{version}/infer", model: "moons", version: "2" },
          ...{ status: 404, fault: false, rows: undefined }
        })
      })
    )

    it.effect("is told of one that the client takes back", () =>
      Effect.gen(function* () {
        const loop = { inputs: [tensor("n", "INT64", [], [1_500_000]), tensor("x", "FP32", [1], [1])] }
        yield* call("/v2/models/loop/infer", loop, { headers: { "x-request-id": "c" } }).pipe(
          Effect.timeoutOption("200 millis")
        )
        assert.deepInclude(yield* ended("c"), { model: "loop", cancelled: true })
      })
    )

    it.effect("is not told of health checks and scrapes, but of every other path, and of scrapes that fail", () =>
      Effect.gen(function* () {
        const { url } = yield* InferenceServer.InferenceServer
        const get = (path: string, id: string) =>
          Effect.promise(() => fetch(`${url}${path}`, { headers: { "x-request-id": id, origin: "http://a" } }))
        const before = seen.length
        assert.isNull((yield* get("/v2/health/ready", "d")).headers.get("x-request-id"))
        assert.strictEqual((yield* get("/metrics", "d1")).headers.get("x-request-id"), "d1")
        for (const [path, operation, status] of [
          ["/v2?a=b", "GET /v2", 200],
          ["/x", "GET", 404],
          ["/v2/health/other", "GET", 404],
          ["/docs", "GET /docs", 200],
          ["/v2/repository/index", "GET /v2/repository/index", 405]
        ] as const) {
          const answer = yield* get(path, path)
          assert.deepStrictEqual([answer.status, answer.headers.get("x-request-id") !== null], [status, true], path)
          const id = answer.headers.get("x-request-id")!
          assert.deepInclude(yield* ended(id), { operation, status, fault: false })
        }
        yield* Effect.promise(() => fetch(`${url}/metrics`, { method: "POST", headers: { "x-request-id": "d2" } }))
        assert.deepInclude(yield* ended("d2"), { operation: "POST /metrics", status: 405 })
        assert.lengthOf(seen, before + 6)
      })
    )

    it.effect("is told of inferences over gRPC", () =>
      Effect.gen(function* () {
        const { grpc } = yield* InferenceServer.InferenceServer
        const client = yield* GrpcClient.connect(grpc!)
        const inputs = [{ name: "x", datatype: "FP32", shape: [2n, 2n], contents: { fp32Contents: [1, 2, 3, 4] } }]
        const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        const ask = (modelName: string, requestId: string) =>
          GrpcClient.ask(
            client,
            GRPCInferenceService.method.modelInfer,
            { modelName, inputs },
            {
              metadata: { "x-request-id": requestId, traceparent }
            }
          )
        yield* ask("sigmoid", "e")
        const operation = "inference.GRPCInferenceService/ModelInfer"
        assert.deepInclude(yield* ended("e"), {
          ...{ protocol: "grpc", operation, model: "sigmoid", version: "1", rows: 2, traceparent },
          ...{ status: 0, fault: false, cancelled: false }
        })
        yield* ask("moons", "f")
        assert.deepInclude(yield* ended("f"), { model: "moons", status: 5, fault: false })
      }).pipe(Effect.scoped)
    )
  }
)
