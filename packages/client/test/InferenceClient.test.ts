import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { createServer as createHttp2Server } from "node:http2"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { assert, it, layer } from "@effect/vitest"
import { InferenceServer } from "@rai/serving"
import { Effect, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import * as fc from "fast-check"
import * as InferenceClient from "../src/InferenceClient.ts"
import * as PromiseClient from "../src/PromiseClient.ts"
import * as Tensor from "../src/Tensor.ts"

/** A server that gives these answers in turn and records when each was asked for. */
const scripted = Effect.fnUntraced(function* (
  answers: ReadonlyArray<readonly [status: number, headers?: Readonly<Record<string, string>>]>
) {
  const times: Array<number> = []
  const server = createServer((_, response) => {
    const [status, headers = {}] = answers[times.length] ?? [500]
    times.push(performance.now())
    response.writeHead(status, headers).end('{"error":"as told"}')
  })
  yield* Effect.acquireRelease(
    Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
    () => Effect.sync(() => server.close())
  )
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, times }
})

const fixtures = fileURLToPath(new URL("../../serving/test/fixtures", import.meta.url))
const everyKind = fileURLToPath(new URL("../../serving/test/triton/models", import.meta.url))
const live = { excludeTestServices: true }

const client = Effect.gen(function* () {
  const { url } = yield* InferenceServer.InferenceServer
  return yield* InferenceClient.make({ url }).pipe(Effect.provide(FetchHttpClient.layer))
})

const x = Tensor.make("FP32", [2, 2], [0, 0, 1, -1])

layer(InferenceServer.layer({ repository: fixtures, port: 0, executionProviders: ["cpu"] }), live)("calls", (it) => {
  it.effect("says what the server and its models are", () =>
    Effect.gen(function* () {
      const calls = yield* client
      yield* calls.serverReady
      yield* calls.modelReady("sigmoid")
      yield* calls.modelReady("sigmoid", { version: "1" })
      assert.strictEqual((yield* calls.serverMetadata).name, "rai")
      const { inputs, name, outputs } = yield* calls.modelMetadata("sigmoid")
      assert.deepStrictEqual([name, inputs], ["sigmoid", [{ name: "x", datatype: "FP32", shape: [-1, 2] }]])
      assert.deepStrictEqual(
        outputs.map((output) => output.name),
        ["y", "logit"]
      )
      const index = yield* calls.index
      assert.deepInclude(index.find((entry) => entry.name === "sigmoid")!, { version: "1", state: "READY" })
    })
  )

  it.effect("infers, and gives the outputs that were asked for as what they were asked for", () =>
    Effect.gen(function* () {
      const calls = yield* client
      const options = { id: "seven", outputs: { logit: "FP32" } } as const
      const { id, model, outputs, version } = yield* calls.infer("sigmoid", { x }, options)
      assert.deepStrictEqual([id, model, version, outputs.logit.shape], ["seven", "sigmoid", "1", [2, 3]])
      const logits: Float32Array = outputs.logit.data // as the compiler sees it
      assert.deepStrictEqual(logits, Float32Array.of(0.1, -0.2, 0.3, -0.9, -1.45, 3.05))
      const all = yield* calls.infer("sigmoid", { x })
      assert.deepStrictEqual(Object.keys(all.outputs).sort(), ["logit", "y"])
    })
  )

  it.effect("carries every element unchanged there and back", () =>
    Effect.gen(function* () {
      const calls = yield* client
      const rows = fc.tuple(
        fc.float(),
        fc.double(),
        fc.integer(),
        fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
        fc.boolean(),
        fc.nat(255)
      )
      for (const sample of fc.sample(fc.array(rows, { minLength: 1, maxLength: 20 }), 50)) {
        const shape = [sample.length]
        const inputs = {
          FP32: Tensor.make(
            "FP32",
            shape,
            sample.map(([value]) => value)
          ),
          FP64: Tensor.make(
            "FP64",
            shape,
            sample.map(([, value]) => value)
          ),
          INT32: Tensor.make(
            "INT32",
            shape,
            sample.map(([, , value]) => value)
          ),
          INT64: Tensor.make(
            "INT64",
            shape,
            sample.map(([, , , value]) => value)
          ),
          BOOL: Tensor.make(
            "BOOL",
            shape,
            sample.map(([, , , , value]) => value)
          ),
          UINT8: Tensor.make(
            "UINT8",
            shape,
            sample.map(([, , , , , value]) => value)
          )
        }
        const { outputs } = yield* calls.infer("identity", inputs)
        for (const [name, { data }] of Object.entries(inputs))
          assert.deepStrictEqual(outputs[`${name}_out`]!.data, data)
      }
    })
  )

  it.effect("fails by what the caller would do about it", () =>
    Effect.gen(function* () {
      const calls = yield* client
      const failure = <A, E>(call: Effect.Effect<A, E>) => Effect.flip(call)
      const short = yield* failure(calls.infer("sigmoid", { x: { ...x, shape: [1, 2] } }))
      assert.strictEqual(
        short.message,
        'the tensor "x" of shape [1, 2] needs 2 elements; 4 came; give the shape that its data has'
      )
      const unknown = yield* failure(calls.infer("moons", { x }))
      assert.strictEqual(unknown._tag, "NotFound")
      assert.match(unknown.message, /^the server has no such thing \(404\): .*moons/)
      const missing = yield* failure(calls.infer("sigmoid", {}))
      assert.strictEqual(
        missing.message,
        'the server refused the request (400): the model takes "x" as FP32 [-1, 2]; the input "x" is missing; add it'
      )
      const other = yield* failure(calls.infer("sigmoid", { x }, { outputs: { y: "FP64" } }))
      assert.strictEqual(
        other.message,
        'the answer is not of the Open Inference Protocol: the output "y" was asked for as FP64 and is FP32; ask for it as such'
      )
      assert.strictEqual((yield* failure(calls.unload("sigmoid")))._tag, "TokenRefused")
      const { url } = yield* InferenceServer.InferenceServer
      const hasty = yield* InferenceClient.make({ url, timeout: "20 millis" }).pipe(
        Effect.provide(FetchHttpClient.layer)
      )
      const loop = { n: Tensor.make("INT64", [], [3_000_000n]), x: Tensor.make("FP32", [1], [1]) }
      assert.strictEqual(
        (yield* failure(hasty.infer("loop", loop))).message,
        "no answer in time: the time that was given, 20ms, is over; give more or ask for less at once"
      )
    })
  )

  it.effect("answers promises too, and lets go of what is aborted", () =>
    Effect.gen(function* () {
      const { url } = yield* InferenceServer.InferenceServer
      const calls = PromiseClient.make({ url })
      yield* Effect.promise(async () => {
        await calls.serverReady()
        const { outputs } = await calls.infer("sigmoid", { x }, { outputs: { y: "FP32" } })
        assert.strictEqual(outputs.y.data.length, 6)
        const error = await calls.modelReady("moons").catch((reason: unknown) => reason)
        assert.include(error, { _tag: "NotFound" })
        const abort = new AbortController()
        const loop = { n: Tensor.make("INT64", [], [3_000_000n]), x: Tensor.make("FP32", [1], [1]) }
        const aborted = calls.infer("loop", loop, { signal: abort.signal }).catch((reason: unknown) => reason)
        setTimeout(() => abort.abort("enough"), 20)
        assert.strictEqual(await aborted, "enough")
      })
    })
  )
})

const token = Redacted.make("the-admin's-own")

layer(
  InferenceServer.layer({ repository: everyKind, port: 0, executionProviders: ["cpu"], access: { admin: token } }),
  live
)("with a token", (it) => {
  it.effect("loads and unloads models", () =>
    Effect.gen(function* () {
      const { url } = yield* InferenceServer.InferenceServer
      const calls = yield* InferenceClient.make({ url, token }).pipe(Effect.provide(FetchHttpClient.layer))
      yield* calls.unload("simple")
      assert.strictEqual((yield* Effect.flip(calls.modelReady("simple")))._tag, "Unavailable")
      const [entry] = (yield* calls.index).filter(({ name }) => name === "simple")
      assert.strictEqual(entry?.state, "UNAVAILABLE")
      yield* calls.load("simple", { config: '{"max_batch_size": 4}' })
      yield* calls.modelReady("simple")
      const [model] = ["identity.onnx"].map((name) => new Uint8Array(readFileSync(`${fixtures}/${name}`)))
      yield* calls.load("simple", { config: "{}", files: { "1/model.onnx": model! } })
      assert.include(
        (yield* calls.modelMetadata("simple")).inputs.map(({ name }) => name),
        "FP64"
      )
    })
  )

  it.effect("carries every datatype unchanged there and back", () =>
    Effect.gen(function* () {
      const { url } = yield* InferenceServer.InferenceServer
      const calls = yield* InferenceClient.make({ url, token }).pipe(Effect.provide(FetchHttpClient.layer))
      const inputs = {
        BOOL: Tensor.make("BOOL", [3], [true, false, true]),
        UINT8: Tensor.make("UINT8", [3], [0, 1, 255]),
        UINT16: Tensor.make("UINT16", [3], [0, 1, 65_535]),
        UINT32: Tensor.make("UINT32", [3], [0, 1, 4_294_967_295]),
        UINT64: Tensor.make("UINT64", [3], [0n, 1n, 2n ** 64n - 1n]),
        INT8: Tensor.make("INT8", [3], [0, -128, 127]),
        INT16: Tensor.make("INT16", [3], [0, -32_768, 32_767]),
        INT32: Tensor.make("INT32", [3], [0, -2_147_483_648, 2_147_483_647]),
        INT64: Tensor.make("INT64", [3], [0n, -(2n ** 63n), 2n ** 63n - 1n]),
        FP16: Tensor.make("FP16", [3], [1, Number.NEGATIVE_INFINITY, 2 ** -24]),
        FP32: Tensor.make("FP32", [3], [Number.NaN, -0, 3.4028234663852886e38]),
        FP64: Tensor.make("FP64", [3], [Number.POSITIVE_INFINITY, -0, 5e-324]),
        BYTES: Tensor.make("BYTES", [3], ["", "zwölf Boxkämpfer", "🙂"])
      }
      const { outputs } = yield* calls.infer("kinds", inputs)
      assert.strictEqual(Object.keys(outputs).length, 13)
      for (const [name, { data, datatype, shape }] of Object.entries(inputs)) {
        assert.deepStrictEqual(outputs[`${name}_out`], { datatype, shape, data } as Tensor.Tensor)
      }
      assert.deepStrictEqual(outputs.FP16_out?.data, Uint16Array.of(0x3c00, 0xfc00, 0x0001))
    })
  )
})

it.live("says why nothing answers, and never the token", () =>
  Effect.gen(function* () {
    const other = createHttp2Server()
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve))),
      () => Effect.sync(() => other.close())
    )
    const { port } = other.address() as AddressInfo
    const refusal = (options: InferenceClient.Options) =>
      Effect.promise(() =>
        PromiseClient.make(options)
          .serverReady()
          .catch((error: Error) => error.message)
      )
    const gave = (url: string, reason: string) =>
      `${url} gave no answer (${reason}); see whether a server listens there`
    assert.strictEqual(yield* refusal({ url: "localhost:9150" }), gave("localhost:9150", "unknown scheme"))
    const url = `http://127.0.0.1:${port}`
    assert.include(yield* refusal({ url }), "Response does not match the HTTP/1.1 protocol")
    for (const token of ["one\ntwo", Redacted.make("one\ntwo")]) {
      const message = yield* refusal({ url, token })
      assert.include(message, "is an invalid header value")
      assert.notInclude(message, "one")
    }
    other.close()
    assert.strictEqual(yield* refusal({ url }), gave(url, `connect ECONNREFUSED 127.0.0.1:${port}`))
  }).pipe(Effect.scoped)
)

it.live("asks again when the server says, and not where that is in vain", () =>
  Effect.gen(function* () {
    const make = (url: string) => InferenceClient.make({ url, retries: 3 }).pipe(Effect.provide(FetchHttpClient.layer))
    const busy = yield* scripted([[503, { "retry-after": "1" }], [429], [200]])
    yield* (yield* make(busy.url)).serverReady
    assert.strictEqual(busy.times.length, 3)
    assert.isAtLeast(busy.times[1]! - busy.times[0]!, 990)
    const down = yield* scripted([[503], [503], [503], [503, { "retry-after": "7" }], [200]])
    const error = yield* Effect.flip((yield* make(down.url)).serverReady)
    assert.strictEqual(error.message, "the server cannot answer now (503, ask again in 7 s): as told")
    assert.strictEqual(down.times.length, 4)
    const wrong = yield* scripted([[400], [200]])
    assert.strictEqual((yield* Effect.flip((yield* make(wrong.url)).serverReady))._tag, "RequestRefused")
    assert.strictEqual(wrong.times.length, 1)
    const nobody = yield* Effect.flip(
      (yield* InferenceClient.make({ url: "http://127.0.0.1:1" }).pipe(Effect.provide(FetchHttpClient.layer)))
        .serverReady
    )
    assert.strictEqual(nobody._tag, "Unreachable")
  }).pipe(Effect.scoped)
)
