import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { connect } from "node:http2"
import { createServer, connect as openSocket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { create, type DescMethodUnary, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf"
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt"
import { assert, describe, it } from "@effect/vitest"
import { type Client, credentials, status } from "@grpc/grpc-js"
import { Duration, Effect, Exit, Fiber, Layer, Redacted, Scope } from "effect"
import * as GrpcTransport from "../../src/grpc/GrpcTransport.ts"
import {
  GRPCInferenceService,
  ModelInferRequestSchema,
  type ModelStreamInferResponse
} from "../../src/grpc/grpc_service_pb.ts"
import {
  Health,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Serving
} from "../../src/grpc/health_pb.ts"
import { ServerReflection, type ServerReflectionResponse } from "../../src/grpc/reflection_pb.ts"
import { ServerReflection as Alpha } from "../../src/grpc/reflection_v1alpha_pb.ts"
import { Draining } from "../../src/RequestError.ts"
import { until } from "../Until.ts"
import * as EchoPlane from "./EchoPlane.ts"
import * as GrpcClient from "./GrpcClient.ts"
import * as Raw from "./Raw.ts"

const { method } = GRPCInferenceService

type Request = MessageInitShape<typeof ModelInferRequestSchema>

const serve = Effect.fnUntraced(function* (options: GrpcTransport.Options = {}) {
  const seen = EchoPlane.make()
  const context = yield* Layer.build(
    GrpcTransport.GrpcTransport.layer({ port: 0, ...options }).pipe(Layer.provide(EchoPlane.layer(seen)))
  )
  const { address } = yield* Effect.provide(GrpcTransport.GrpcTransport, context)
  return { address, client: yield* GrpcClient.connect(address), seen }
})

const raw = (...values: ReadonlyArray<number>) => new Uint8Array(new Float32Array(values).buffer)

const x = (rows: number, bytes: Uint8Array): Request => ({
  modelName: "echo",
  inputs: [{ name: "x", datatype: "FP32", shape: [BigInt(rows), 2n] }],
  rawInputContents: [bytes]
})

const infer = (client: Client, request: Request, options: GrpcClient.Options = {}) =>
  GrpcClient.ask(client, method.modelInfer, request, options)

describe("inference.GRPCInferenceService", () => {
  it.live("answers what the server is and has", () =>
    Effect.gen(function* () {
      const { address, client, seen } = yield* serve()
      assert.match(address, /^127\.0\.0\.1:\d+$/)
      const ask = <A>(effect: Effect.Effect<{ readonly message?: A }>) =>
        Effect.map(effect, ({ message }) =>
          JSON.parse(JSON.stringify(message, (_, v) => (typeof v === "bigint" ? Number(v) : v)))
        )
      const echo = { name: "echo" }
      assert.include(yield* ask(GrpcClient.ask(client, method.serverLive, {})), { live: true })
      assert.include(yield* ask(GrpcClient.ask(client, method.serverReady, {})), { ready: true })
      assert.include(yield* ask(GrpcClient.ask(client, method.modelReady, echo)), { ready: true })
      assert.include(yield* ask(GrpcClient.ask(client, method.modelReady, { name: "moons" })), { ready: false })
      seen.ready = false
      assert.include(yield* ask(GrpcClient.ask(client, method.serverReady, {})), { ready: false })
      assert.deepInclude(yield* ask(GrpcClient.ask(client, method.serverMetadata, {})), {
        name: "rai",
        extensions: ["binary_tensor_data", "statistics"]
      })
      const metadata = yield* ask(GrpcClient.ask(client, method.modelMetadata, echo))
      assert.deepInclude(metadata.inputs[0], { name: "x", datatype: "FP32", shape: [-1, 2] })
      assert.deepInclude(metadata, { name: "echo", versions: ["1"], platform: "onnx_onnxv1" })
      const { config } = yield* ask(GrpcClient.ask(client, method.modelConfig, echo))
      assert.deepInclude(config.input[0], { name: "x", dataType: 11, dims: [2] })
      assert.deepInclude(config.output[0], { name: "y", dataType: 13, dims: [3] })
      assert.deepInclude(config, { name: "echo", backend: "onnxruntime", maxBatchSize: 8 })
      assert.deepInclude(config.versionPolicy.policyChoice, { case: "specific" })
      assert.deepInclude(config.versionPolicy.policyChoice.value, { versions: [1, 3] })
      assert.deepInclude(config.schedulingChoice.value, { maxQueueDelayMicroseconds: 100 })
      assert.deepInclude(config.schedulingChoice.value.defaultQueuePolicy, { maxQueueSize: 5 })
      assert.deepInclude(config.instanceGroup[0], { count: 2, kind: 2 })
      const { modelStats } = yield* ask(GrpcClient.ask(client, method.modelStatistics, {}))
      assert.deepInclude(modelStats[0], { name: "echo", lastInference: 1_700_000_000_000, inferenceCount: 8 })
      assert.deepInclude(modelStats[0].inferenceStats.computeInfer, { count: 8, ns: 123 })
      const { models } = yield* ask(GrpcClient.ask(client, method.repositoryIndex, {}))
      assert.deepInclude(models[1], { version: "2", state: "UNAVAILABLE", reason: "the file is not an ONNX model" })
      assert.lengthOf((yield* ask(GrpcClient.ask(client, method.repositoryIndex, { ready: true }))).models, 1)
    })
  )

  it.live("has a code for each error, and says nothing of its own about a defect", () =>
    Effect.gen(function* () {
      const { client } = yield* serve()
      const table: ReadonlyArray<readonly [model: string, code: status]> = [
        ["moons", status.NOT_FOUND],
        ["RequestInvalid", status.INVALID_ARGUMENT],
        ["ModelUnavailable", status.UNAVAILABLE],
        ["Overloaded", status.UNAVAILABLE],
        ["DeadlineExceeded", status.DEADLINE_EXCEEDED],
        ["Draining", status.UNAVAILABLE],
        ["InferenceFailed", status.INVALID_ARGUMENT],
        ["NotSupported", status.UNIMPLEMENTED]
      ]
      for (const [modelName, code] of table) {
        const answer = yield* infer(client, { ...x(1, raw(1, 2)), modelName })
        assert.strictEqual(answer.code, code, modelName)
        if (modelName === "Overloaded") {
          assert.deepStrictEqual(answer.metadata?.get("grpc-retry-pushback-ms"), ["2000"])
          assert.include(answer.details, "has 8 requests waiting")
        }
      }
      const missing = yield* GrpcClient.ask(client, method.modelMetadata, { name: "moons" })
      assert.strictEqual(missing.code, status.NOT_FOUND)
      assert.include(missing.details, "echo, late, never")
      const absent: ReadonlyArray<DescMethodUnary> = [
        method.logSettings,
        method.traceSetting,
        method.systemSharedMemoryStatus,
        method.cudaSharedMemoryRegister
      ]
      for (const each of absent) {
        assert.strictEqual((yield* GrpcClient.ask(client, each, {})).code, status.UNIMPLEMENTED)
      }
    })
  )

  it.live("loads and unloads for who has the admin's token", () =>
    Effect.gen(function* () {
      const closed = yield* serve()
      const load = { modelName: "echo" }
      assert.strictEqual(
        (yield* GrpcClient.ask(closed.client, method.repositoryModelLoad, load)).code,
        status.PERMISSION_DENIED
      )
      const { client, seen } = yield* serve({
        access: { admin: Redacted.make("secret"), all: Redacted.make("public") }
      })
      const metadata = { authorization: "Bearer secret" }
      const code = (effect: Effect.Effect<{ readonly code?: status }>) => Effect.map(effect, ({ code }) => code)
      assert.strictEqual(yield* code(GrpcClient.ask(client, method.repositoryModelLoad, load)), status.UNAUTHENTICATED)
      assert.strictEqual(yield* code(GrpcClient.ask(client, method.serverMetadata, {})), status.UNAUTHENTICATED)
      assert.strictEqual(yield* code(GrpcClient.ask(client, method.serverLive, {})), undefined)
      assert.strictEqual(yield* code(infer(client, x(1, raw(1, 2)))), status.UNAUTHENTICATED)
      assert.strictEqual(
        yield* code(infer(client, x(1, raw(1, 2)), { metadata: { authorization: "Bearer public" } })),
        undefined
      )
      const refused = GrpcClient.stream(client, method.modelStreamInfer)
      assert.include(yield* GrpcClient.collect(refused.call), { code: status.UNAUTHENTICATED })
      const reflection = GrpcClient.stream(client, ServerReflection.method.serverReflectionInfo)
      assert.include(yield* GrpcClient.collect(reflection.call), { code: status.UNAUTHENTICATED })
      assert.strictEqual((yield* GrpcClient.ask(client, Health.method.check, {})).message?.status, Serving.SERVING)
      const parameters = {
        config: { parameterChoice: { case: "stringParam", value: '{"max_batch_size": 4}' } },
        "file:1/model.onnx": { parameterChoice: { case: "bytesParam", value: new Uint8Array([1, 2]) } }
      } as const
      const admin = (modelName: string) =>
        GrpcClient.ask(client, method.repositoryModelLoad, { modelName, parameters }, { metadata })
      assert.strictEqual(yield* code(admin("echo")), undefined)
      assert.strictEqual(seen.loads[0]?.options?.config, '{"max_batch_size": 4}')
      assert.deepStrictEqual([...(seen.loads[0]?.options?.files?.["1/model.onnx"] ?? [])], [1, 2])
      assert.strictEqual(yield* code(admin("broken")), status.INTERNAL)
      const strange = { other: parameters.config }
      assert.strictEqual(
        yield* code(GrpcClient.ask(client, method.repositoryModelLoad, { ...load, parameters: strange }, { metadata })),
        status.INVALID_ARGUMENT
      )
      assert.strictEqual(
        yield* code(GrpcClient.ask(client, method.repositoryModelUnload, load, { metadata })),
        undefined
      )
      assert.strictEqual(
        yield* code(GrpcClient.ask(client, method.repositoryModelUnload, { modelName: "moons" }, { metadata })),
        status.NOT_FOUND
      )
    })
  )

  it.live("carries a deadline, and takes back what nobody waits for", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* serve()
      assert.strictEqual((yield* infer(client, x(1, raw(1, 2)))).code, undefined)
      assert.isUndefined(seen.requests[0]?.deadline)
      const now = performance.now()
      const late = yield* infer(client, { ...x(1, raw(1, 2)), modelName: "never" }, { deadline: Date.now() + 200 })
      assert.strictEqual(late.code, status.DEADLINE_EXCEEDED)
      const deadline = seen.requests[1]?.deadline ?? 0
      // From when the request came, in whole milliseconds of what was left.
      assert.isAtLeast(deadline, now + 198)
      assert.isAtMost(deadline, performance.now() + 200)
      yield* until(() => seen.cancelled === 1)
      const aborted = yield* infer(
        client,
        { ...x(1, raw(1, 2)), modelName: "never" },
        {
          begun: (call) => setTimeout(() => call.cancel(), 50)
        }
      )
      assert.strictEqual(aborted.code, status.CANCELLED)
      yield* until(() => seen.cancelled === 2)
      // An answered one is not taken back.
      assert.strictEqual((yield* infer(client, { ...x(1, raw(1, 2)), modelName: "late" })).code, undefined)
      assert.strictEqual(seen.cancelled, 2)
    })
  )

  it.live("answers 200 at once, each its own, while others go away", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* serve()
      const ask = (i: number) =>
        infer(
          client,
          { ...x(1, raw(i, -i)), id: String(i), modelName: i % 2 === 0 ? "echo" : "late" },
          i % 5 === 4 ? { begun: (call) => queueMicrotask(() => call.cancel()) } : {}
        )
      const answers = yield* Effect.all(
        Array.from({ length: 200 }, (_, i) => ask(i)),
        { concurrency: "unbounded" }
      )
      for (const [i, { code, message }] of answers.entries()) {
        if (i % 5 === 4) assert.strictEqual(code, status.CANCELLED)
        else {
          assert.strictEqual(message?.id, String(i))
          assert.deepStrictEqual(new Uint8Array(message?.rawOutputContents[0] ?? []), raw(i, -i))
        }
      }
      assert.strictEqual((yield* infer(client, x(1, raw(1, 2)))).code, undefined)
      assert.isAtLeast(seen.requests.length, 161)
    })
  )

  it.live("refuses messages over the limit, compressed ones too", () =>
    Effect.gen(function* () {
      const { address, client } = yield* serve({ limits: { bodyBytes: 1000, decompressedBytes: 1000 } })
      assert.strictEqual((yield* infer(client, x(100, new Uint8Array(800)))).code, undefined)
      assert.strictEqual((yield* infer(client, x(200, new Uint8Array(1600)))).code, status.RESOURCE_EXHAUSTED)
      const zipped = yield* GrpcClient.connect(address, { "grpc.default_compression_algorithm": 2 })
      assert.strictEqual((yield* infer(zipped, x(100, new Uint8Array(800)))).code, undefined)
      const bomb = x(12_500, new Uint8Array(100_000))
      assert.strictEqual((yield* infer(zipped, bomb)).code, status.RESOURCE_EXHAUSTED)
      assert.strictEqual((yield* infer(client, x(1, raw(1, 2)))).code, undefined)
    })
  )
})

describe("ModelStreamInfer", () => {
  it.live("answers in the order of the requests, errors too, and ends when the client does", () =>
    Effect.gen(function* () {
      const { client } = yield* serve()
      const { call, write } = GrpcClient.stream(client, method.modelStreamInfer)
      const names = ["late", "echo", "moons", "echo"]
      for (const [i, modelName] of names.entries()) write({ ...x(1, raw(i, i)), id: `${i}`, modelName })
      call.end()
      const { code, messages } = yield* GrpcClient.collect<ModelStreamInferResponse>(call)
      assert.strictEqual(code, status.OK)
      assert.deepStrictEqual(
        messages.map(({ inferResponse }) => inferResponse?.id),
        ["0", "1", "2", "3"]
      )
      assert.deepStrictEqual(
        messages.map(({ errorMessage }) => errorMessage !== ""),
        [false, false, true, false]
      )
      for (const { inferResponse } of messages) {
        assert.deepInclude(inferResponse?.parameters.triton_final_response?.parameterChoice, {
          case: "boolParam",
          value: true
        })
      }
    })
  )

  it.live("reads no further than a client that does not read lets it, and takes back what a lost one asked", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* serve()
      const { call, write } = GrpcClient.stream(client, method.modelStreamInfer)
      call.on("error", () => {})
      for (let i = 0; i < 400; i++) write({ ...x(1, raw(i, i)), modelName: "never" })
      yield* until(() => seen.requests.length === 256)
      yield* Effect.sleep("50 millis")
      assert.strictEqual(seen.requests.length, 256)
      call.cancel()
      yield* until(() => seen.cancelled === 256)
    })
  )

  it.live("reads no further where nobody reads its answers", () =>
    Effect.gen(function* () {
      const { address, seen } = yield* serve()
      const session = yield* Effect.acquireRelease(
        Effect.sync(() => connect(`http://${address}`)),
        (session) => Effect.sync(() => session.destroy())
      )
      const headers = { ":method": "POST", ":path": "/inference.GRPCInferenceService/ModelStreamInfer", te: "trailers" }
      const greedy = session.request({ ...headers, "content-type": "application/grpc" })
      const message = toBinary(
        ModelInferRequestSchema,
        create(ModelInferRequestSchema, x(5000, new Uint8Array(40_000)))
      )
      const frame = Buffer.concat([Buffer.alloc(5), message])
      frame.writeUInt32BE(message.length, 1)
      for (let i = 0; i < 200; i++) greedy.write(frame)
      let halted = 0
      while (halted === 0 || halted < seen.requests.length) {
        halted = seen.requests.length
        yield* Effect.sleep("500 millis")
      }
      assert.isBelow(halted, 100)
      yield* Effect.sleep("200 millis")
      assert.strictEqual(seen.requests.length, halted)
      greedy.resume()
      yield* until(() => seen.requests.length === 200)
    })
  )
})

describe("grpc.health.v1", () => {
  it.live("is asked, watched, listed", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* serve()
      const check = (service: string) => GrpcClient.ask(client, Health.method.check, { service })
      for (const service of ["", "inference.GRPCInferenceService"]) {
        assert.strictEqual((yield* check(service)).message?.status, Serving.SERVING)
      }
      assert.strictEqual((yield* check("moons")).code, status.NOT_FOUND)
      const { message } = yield* GrpcClient.ask(client, Health.method.list, {})
      assert.deepStrictEqual(Object.keys(message?.statuses ?? {}), ["", "inference.GRPCInferenceService"])
      const said: Array<Serving> = []
      const watched = GrpcClient.watch(client, Health.method.watch, { service: "" })
      watched.on("data", ({ status }: HealthCheckResponse) => said.push(status))
      watched.on("error", () => {})
      yield* until(() => said.length === 1)
      seen.ready = false
      yield* until(() => said.length === 2)
      seen.ready = true
      yield* until(() => said.length === 3)
      assert.deepStrictEqual(said, [Serving.SERVING, Serving.NOT_SERVING, Serving.SERVING])
      assert.strictEqual((yield* check("")).message?.status, Serving.SERVING)
      watched.cancel()
      const unknown = GrpcClient.watch(client, Health.method.watch, { service: "moons" })
      unknown.on("error", () => {})
      unknown.on("data", ({ status }: HealthCheckResponse) => said.push(status))
      yield* until(() => said.length === 4)
      assert.strictEqual(said[3], Serving.SERVICE_UNKNOWN)
      unknown.cancel()
    })
  )
})

describe("grpc.reflection", () => {
  for (const [name, service] of [
    ["v1", ServerReflection],
    ["v1alpha", Alpha]
  ] as const) {
    it.live(`${name} lists the services and describes them with all that they stand on`, () =>
      Effect.gen(function* () {
        const { client } = yield* serve()
        const { call, write } = GrpcClient.stream(
          client,
          service.method.serverReflectionInfo as typeof ServerReflection.method.serverReflectionInfo
        )
        write({ messageRequest: { case: "listServices", value: "" } })
        write({ messageRequest: { case: "fileContainingSymbol", value: "inference.GRPCInferenceService.ModelInfer" } })
        write({ messageRequest: { case: "fileByFilename", value: "model_config.proto" } })
        write({ messageRequest: { case: "fileContainingSymbol", value: "inference.Nothing" } })
        write({
          messageRequest: {
            case: "fileContainingExtension",
            value: { containingType: "inference.ModelConfig", extensionNumber: 7 }
          }
        })
        write({ messageRequest: { case: "allExtensionNumbersOfType", value: "inference.ModelConfig" } })
        write({})
        call.end()
        const { messages } = yield* GrpcClient.collect<ServerReflectionResponse>(call)
        const [list, symbol, file, nothing, extension, numbers, empty] = messages.map(
          ({ messageResponse }) => messageResponse
        )
        assert.deepStrictEqual(
          list?.case === "listServicesResponse" ? list.value.service.map(({ name }) => name) : [],
          [
            "inference.GRPCInferenceService",
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection"
          ]
        )
        const files = (answer: typeof symbol) =>
          answer?.case === "fileDescriptorResponse"
            ? answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name)
            : []
        assert.deepStrictEqual(files(symbol), ["model_config.proto", "grpc_service.proto"])
        assert.deepStrictEqual(files(file), ["model_config.proto"])
        for (const answer of [nothing, extension]) assert.deepInclude(answer?.value, { errorCode: status.NOT_FOUND })
        assert.deepInclude(numbers?.value, { baseTypeName: "inference.ModelConfig", extensionNumber: [] })
        assert.deepInclude(empty?.value, { errorCode: status.INVALID_ARGUMENT })
      })
    )
  }
})

describe("the port", () => {
  it.live("is told when another program has it", () =>
    Effect.gen(function* () {
      const other = createServer()
      const port = yield* Effect.callback<number>((resume) => {
        other.listen(0, "127.0.0.1", () => resume(Effect.succeed((other.address() as { port: number }).port)))
      })
      const failure = yield* Effect.flip(serve({ port }))
      assert.strictEqual(
        failure.message,
        `expected to listen on 127.0.0.1:${port}, but another program has that port; give another host or port (0 takes a free one)`
      )
      other.close()
    })
  )

  it.live("is closed by what is under way being answered, streams being ended, and what is stuck being cut off", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { address, seen } = yield* Scope.provide(serve({ grace: "1 minute" }), scope)
      const client = yield* GrpcClient.connect(address)
      const late = infer(client, { ...x(1, raw(1, 2)), modelName: "late" })
      const stream = GrpcClient.stream(client, method.modelStreamInfer)
      const streamed = GrpcClient.collect<ModelStreamInferResponse>(stream.call)
      stream.write({ ...x(1, raw(1, 2)), modelName: "late" })
      const watched = GrpcClient.collect<HealthCheckResponse>(GrpcClient.watch(client, Health.method.watch, {}))
      const closing = Effect.gen(function* () {
        yield* until(() => seen.requests.length === 2)
        yield* Scope.close(scope, Exit.void)
      })
      const [answer, { code, messages }, health] = yield* Effect.all([late, streamed, watched, closing], {
        concurrency: "unbounded"
      })
      assert.isTrue(seen.drained)
      assert.strictEqual(answer.code, undefined)
      assert.deepStrictEqual([code, messages.length], [status.UNAVAILABLE, 1])
      assert.deepStrictEqual(
        health.messages.map(({ status }) => status),
        [Serving.SERVING, Serving.NOT_SERVING]
      )
      const gone = yield* infer(client, x(1, raw(1, 2)), { deadline: Date.now() + 1000 })
      assert.strictEqual(gone.code, status.UNAVAILABLE)
      const stuck = yield* Scope.make()
      const other = yield* Scope.provide(serve({ grace: "200 millis" }), stuck)
      const never = infer(yield* GrpcClient.connect(other.address), { ...x(1, raw(1, 2)), modelName: "never" })
      const [cut] = yield* Effect.all(
        [
          never,
          Effect.andThen(
            until(() => other.seen.requests.length === 1),
            Scope.close(stuck, Exit.void)
          )
        ],
        { concurrency: "unbounded" }
      )
      assert.oneOf(cut.code, [status.CANCELLED, status.UNAVAILABLE])
    })
  )

  it.live("is closed without waiting for calls that stay half sent, or that their clients do not end", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { address, seen } = yield* Scope.provide(serve({ grace: "10 minutes" }), scope)
      const begin = Effect.fnUntraced(function* (path: string, part: Uint8Array) {
        const session = yield* Raw.connect(address)
        const call = Raw.begin(session, path)
        const ended = yield* Effect.forkChild(Raw.end(call), { startImmediately: true })
        yield* Raw.write(call, part)
        return { call, ended }
      })
      const whole = Raw.framed(Raw.message())
      const silent = yield* begin(Raw.infer, whole.subarray(0, 20))
      const answered = yield* begin("/none", whole.subarray(0, 20))
      const streamed = yield* begin(Raw.stream, whole.subarray(0, 20))
      // It sends its one message, and does not say that it has no more.
      const late = yield* begin(Raw.infer, Raw.framed(Raw.message(8, { modelName: "late" })))
      const steady = yield* begin(Raw.infer, whole.subarray(0, 10))
      let sent = 10
      const more = setInterval(() => {
        if (sent < whole.length) steady.call.write(whole.subarray(sent, ++sent))
      }, 40)
      const [took] = yield* Effect.timed(Scope.close(scope, Exit.void))
      clearInterval(more)
      assert.isBelow(Duration.toMillis(took), 50_000)
      const ends = yield* Effect.forEach([silent, answered, streamed, late, steady], ({ ended }) => Fiber.join(ended))
      assert.deepStrictEqual(
        ends.map(({ status }) => Number(status)),
        [status.UNAVAILABLE, status.UNIMPLEMENTED, status.UNAVAILABLE, status.OK, status.OK]
      )
      assert.strictEqual(decodeURIComponent(ends[0]?.message ?? ""), new Draining().message)
      assert.lengthOf(seen.requests, 2)
    }).pipe(Effect.scoped)
  )

  it.live("ends by its grace where a client keeps its end of a connection open", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { address } = yield* Scope.provide(serve({ grace: "3 seconds" }), scope)
      const { hostname, port } = new URL(`http://${address}`)
      const socket = openSocket({ host: hostname, port: Number(port), allowHalfOpen: true })
      // The client's side of the beginning, and no settings of its own.
      socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "latin1")
      yield* Effect.promise(() => new Promise((resolve) => socket.once("data", resolve)))
      const [took] = yield* Effect.timed(Scope.close(scope, Exit.void))
      socket.destroy()
      assert.isBelow(Duration.toMillis(took), 20_000)
    })
  )

  it.live("talks TLS, and with an authority only to clients that it knows", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "rai-grpc-"))),
        (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
      )
      const openssl = (...args: ReadonlyArray<string>) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" })
      const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
      openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
        "-days",
        "2",
        ...subject
      )
      const [cert, key] = ["cert.pem", "key.pem"].map((file) => readFileSync(join(folder, file))) as [Buffer, Buffer]
      const pem = { certificate: cert.toString(), key: key.toString() }
      const check = Effect.fnUntraced(function* (address: string, security: ReturnType<typeof credentials.createSsl>) {
        const client = yield* GrpcClient.connect(address, { security, "grpc.ssl_target_name_override": "localhost" })
        return yield* GrpcClient.ask(client, Health.method.check, {}, { deadline: Date.now() + 3000 })
      })
      const open = yield* serve({ tls: pem })
      assert.strictEqual((yield* check(open.address, credentials.createSsl(cert))).code, undefined)
      assert.notStrictEqual((yield* check(open.address, credentials.createInsecure())).code, undefined)
      const failure = yield* Effect.flip(serve({ tls: { ...pem, key: "none" } }))
      assert.match(failure.message, /^expected a key and a certificate as PEM that belong together, but OpenSSL says: /)
      const mutual = yield* serve({ tls: { ...pem, clientAuthority: pem.certificate } })
      assert.notStrictEqual((yield* check(mutual.address, credentials.createSsl(cert))).code, undefined)
      assert.strictEqual((yield* check(mutual.address, credentials.createSsl(cert, key, cert))).code, undefined)
    })
  )
})
