import { fileURLToPath } from "node:url"
import { assert, layer } from "@effect/vitest"
import { InferenceServer } from "@rai/serving"
import { Effect } from "effect"
import { FetchHttpClient } from "effect/http"
import * as fc from "fast-check"
import * as InferenceClient from "../src/InferenceClient.ts"
import * as PromiseClient from "../src/PromiseClient.ts"
import * as Tensor from "../src/Tensor.ts"

const fixtures = fileURLToPath(new URL("../../serving/test/fixtures", import.meta.url))
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
      assert.match(
        unknown.message,
        /^the server has no such thing \(404\): there is no model "moons" here; ask for one of: /
      )
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
