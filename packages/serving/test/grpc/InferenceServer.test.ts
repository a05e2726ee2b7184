import { assert, layer } from "@effect/vitest"
import { status } from "@grpc/grpc-js"
import { Effect } from "effect"
import { GRPCInferenceService } from "../../src/grpc/grpc_service_pb.ts"
import * as InferenceServer from "../../src/InferenceServer.ts"
import { call, fixtures, tensor } from "../Client.ts"
import * as GrpcClient from "./GrpcClient.ts"

const { method } = GRPCInferenceService

const bytes = (data: Float32Array | BigInt64Array) => new Uint8Array(data.buffer)

const sigmoid = (a: number, b: number) => ({
  modelName: "sigmoid",
  inputs: [{ name: "x", datatype: "FP32", shape: [1n, 2n] }],
  outputs: [{ name: "logit" }],
  rawInputContents: [bytes(Float32Array.of(a, b))]
})

/** Makes a request that is as slow as desired: some 300 ns times n. */
const sines = (n: number) => ({
  modelName: "loop",
  inputs: [
    { name: "n", datatype: "INT64", shape: [] },
    { name: "x", datatype: "FP32", shape: [1n] }
  ],
  rawInputContents: [bytes(BigInt64Array.of(BigInt(n))), bytes(new Float32Array(1))]
})

const client = Effect.gen(function* () {
  const { grpc = "" } = yield* InferenceServer.InferenceServer
  assert.match(grpc, /^127\.0\.0\.1:\d+$/)
  return yield* GrpcClient.connect(grpc)
})

layer(InferenceServer.layer({ repository: fixtures, port: 0, grpcPort: 0, executionProviders: ["cpu"] }), {
  excludeTestServices: true
})("a server of both", (it) => {
  it.effect("answers on either port alike, 200 at once, each its own", () =>
    Effect.gen(function* () {
      const connected = yield* client
      const ask = (i: number) => GrpcClient.ask(connected, method.modelInfer, sigmoid(i, -i))
      const answers = yield* Effect.all(
        Array.from({ length: 200 }, (_, i) => ask(i)),
        { concurrency: "unbounded" }
      )
      for (const [i, { message }] of answers.entries()) {
        const raw = message?.rawOutputContents[0] ?? new Uint8Array()
        const [logit = Number.NaN] = new Float32Array(new Uint8Array(raw).buffer)
        assert.approximately(logit, 0.1 + 0.5 * i - 1.5 * i, 1e-4)
        assert.deepInclude(message?.outputs[0], { name: "logit", datatype: "FP32", shape: [1n, 3n] })
      }
      const { body } = yield* call("/v2/models/sigmoid/infer", { inputs: [tensor("x", "FP32", [1, 2], [7, -7])] })
      const outputs = body.outputs as ReadonlyArray<{ readonly name: string; readonly data: ReadonlyArray<number> }>
      const raw = answers[7]?.message?.rawOutputContents[0] ?? new Uint8Array()
      const same = outputs.find(({ name }) => name === "logit")?.data ?? []
      assert.deepStrictEqual(Float32Array.from(same), new Float32Array(new Uint8Array(raw).buffer))
    })
  )

  it.effect("lets what is over its deadline, or taken back, leave the queue without being computed", () =>
    Effect.gen(function* () {
      const connected = yield* client
      const statistics = Effect.map(
        GrpcClient.ask(connected, method.modelStatistics, { name: "loop" }),
        ({ message }) => Number(message?.modelStats[0]?.executionCount ?? 0)
      )
      const before = yield* statistics
      const long = GrpcClient.ask(connected, method.modelInfer, sines(3_000_000))
      const late = GrpcClient.ask(connected, method.modelInfer, sines(1), { deadline: Date.now() + 300 })
      const timed = GrpcClient.ask(connected, method.modelInfer, {
        ...sines(2),
        parameters: { timeout: { parameterChoice: { case: "int64Param", value: 200_000n } } }
      })
      const lost = GrpcClient.ask(connected, method.modelInfer, sines(3), {
        begun: (call) => setTimeout(() => call.cancel(), 200)
      })
      const answers = yield* Effect.all([long, late, timed, lost], { concurrency: "unbounded" })
      assert.deepStrictEqual(
        answers.map(({ code }) => code),
        [undefined, status.DEADLINE_EXCEEDED, status.DEADLINE_EXCEEDED, status.CANCELLED]
      )
      assert.strictEqual((yield* statistics) - before, 1)
    })
  )

  it.effect("tells what does not fit, and nothing of the machine", () =>
    Effect.gen(function* () {
      const connected = yield* client
      const wrong = yield* GrpcClient.ask(connected, method.modelInfer, { ...sigmoid(1, 2), outputs: [{ name: "z" }] })
      assert.strictEqual(wrong.code, status.INVALID_ARGUMENT)
      assert.include(wrong.details, 'the output "z" was asked for')
      const odd = {
        modelName: "reshape",
        inputs: [{ name: "x", datatype: "FP32", shape: [3n] }],
        rawInputContents: [new Uint8Array(12)]
      }
      const failed = yield* GrpcClient.ask(connected, method.modelInfer, odd)
      assert.strictEqual(failed.code, status.INVALID_ARGUMENT)
      assert.notMatch(String(failed.details), /\/|node_modules|reshape_helper/)
      const version = yield* GrpcClient.ask(connected, method.modelInfer, {
        ...sigmoid(1, 2),
        modelVersion: "../../etc"
      })
      assert.strictEqual(version.code, status.NOT_FOUND)
    })
  )
})
