import { readFileSync, rmSync } from "node:fs"
import { assert, it } from "@effect/vitest"
import { status } from "@grpc/grpc-js"
import { Effect } from "effect"
import { DataPlane } from "../src/DataPlane.ts"
import { GRPCInferenceService } from "../src/grpc/grpc_service_pb.ts"
import * as InferenceServer from "../src/InferenceServer.ts"
import * as ModelSettings from "../src/repository/ModelSettings.ts"
import { call, tensor } from "./Client.ts"
import * as Folder from "./Folder.ts"
import * as GrpcClient from "./grpc/GrpcClient.ts"
import { layer, log } from "./Plane.ts"

// Settings as people write them for Triton, and the JSON that protobuf's own library makes of them.
const triton = (file: string) => readFileSync(new URL(`./triton/settings/${file}`, import.meta.url), "utf8")

const parse = (...of: Parameters<typeof ModelSettings.read>) =>
  Effect.map(ModelSettings.read(...of), ({ settings }) => settings)

// Some fields in camel case, and some numbers as numbers.
const mixed = {
  name: "m",
  platform: "onnxruntime_onnx",
  maxBatchSize: 0,
  input: [
    {
      name: "x",
      data_type: "TYPE_FP32",
      format: "FORMAT_NCHW",
      dims: ["3", "224", "224"],
      reshape: { shape: [1, 3, 224, 224] }
    },
    { name: "y", dataType: "TYPE_INT64", dims: [1, -1] }
  ],
  output: [{ name: "z", data_type: "TYPE_FP32", dims: [1000], labelFilename: "labels.txt" }],
  version_policy: { specific: { versions: [1, 3] } },
  instance_group: [{ count: 2, kind: "KIND_CPU" }],
  dynamicBatching: {
    preferred_batch_size: [4, 8],
    max_queue_delay_microseconds: "100",
    defaultQueuePolicy: { maxQueueSize: 16 }
  },
  parameters: { execution_providers: { string_value: "cuda:1,cpu" }, other: { stringValue: "kept" } },
  optimization: { execution_accelerators: { gpu_execution_accelerator: [{ name: "tensorrt" }] } }
}

const obeyed: ModelSettings.ModelSettings = {
  name: "m",
  platform: "onnxruntime_onnx",
  max_batch_size: 0,
  input: [
    {
      name: "x",
      data_type: "TYPE_FP32",
      format: "FORMAT_NCHW",
      dims: [3, 224, 224],
      reshape: { shape: [1, 3, 224, 224] }
    },
    { name: "y", data_type: "TYPE_INT64", dims: [1, -1] }
  ],
  output: [{ name: "z", data_type: "TYPE_FP32", dims: [1000], label_filename: "labels.txt" }],
  version_policy: { specific: { versions: [1, 3] } },
  instance_group: [{ count: 2, kind: "KIND_CPU" }],
  dynamic_batching: { max_queue_delay_microseconds: 100, default_queue_policy: { max_queue_size: 16 } },
  parameters: { execution_providers: { string_value: "cuda:1,cpu" } }
}

it.effect("are the same from JSON, whichever of protobuf's names it has, and from text", () =>
  Effect.gen(function* () {
    // It leaves out what is 0, which for Triton is nothing.
    const { max_batch_size: _, ...others } = obeyed
    assert.deepStrictEqual(yield* parse("m", triton("config.json")), others)
    assert.deepStrictEqual(yield* parse("m", JSON.stringify(mixed)), obeyed)
    assert.deepStrictEqual(yield* parse("m", triton("config.pbtxt"), "text"), obeyed)
    assert.deepStrictEqual(yield* parse("m", "", "text"), {})
  })
)

it.effect("name what is not followed, and not what says nothing", () =>
  Effect.gen(function* () {
    const unfollowed = (...of: Parameters<typeof ModelSettings.read>) =>
      Effect.map(ModelSettings.read(...of), ({ unfollowed }) => unfollowed)
    const places = ["dynamic_batching.preferred_batch_size", "parameters.other", "optimization"]
    assert.sameMembers([...(yield* unfollowed("m", triton("config.pbtxt"), "text"))], places)
    assert.sameMembers([...(yield* unfollowed("m", triton("config.json")))], places)
    const more = `model_warmup { name: "w" batch_size: 1 } response_cache { enable: true }
      dynamic_batching { priority_levels: 2 preserve_ordering: false default_queue_policy { allow_timeout_override: true } }
      model_transaction_policy { decoupled: true } instance_group { count: 1 passive: true }`
    assert.sameMembers(
      [...(yield* unfollowed("m", more, "text"))],
      [
        "dynamic_batching.priority_levels",
        "dynamic_batching.default_queue_policy.allow_timeout_override",
        "instance_group.0.passive",
        "model_warmup",
        "model_transaction_policy",
        "response_cache"
      ]
    )
  })
)

it.effect("are refused where they say what nobody knows", () =>
  Effect.gen(function* () {
    const refusal = (config: unknown) => Effect.flip(parse("m", JSON.stringify(config)))
    assert.strictEqual(yield* refusal({ max_batchsize: 3 }), `Triton's ModelConfig has no "max_batchsize"`)
    assert.strictEqual(
      yield* refusal({
        instance_group: [{ count: 1 }, { cuont: 2 }],
        version_policy: { lates: {} },
        parameters: { any: { text: "" } }
      }),
      `Triton's ModelConfig has no "instance_group.1.cuont", "version_policy.lates", "parameters.any.text"`
    )
    assert.strictEqual(yield* refusal({ name: "n" }), 'at name: "m" is expected, as the model is called; "n" came')
    assert.deepStrictEqual(yield* parse("m", '{"name": ""}'), { name: "" })
    assert.strictEqual(yield* refusal({ backend: "python" }), 'at backend: onnxruntime is expected; "python" came')
    assert.strictEqual(
      yield* refusal({ platform: "tensorflow_savedmodel" }),
      'at platform: onnxruntime_onnx or onnx_onnxv1 is expected; "tensorflow_savedmodel" came'
    )
    for (const config of [[], 3, "m", null]) assert.match(yield* refusal(config), /^Expected object/)

    const table: ReadonlyArray<readonly [text: string, reason: string]> = [
      ["\nmax_batchsize: 3", "ModelConfig: unknown field 'max_batchsize' (line 2)"],
      ["max_batch_size: many", "integer value expected"],
      ["max_batch_size: -1", "at max_batch_size: Expected a value between 0 and 1000000"],
      ["max_batch_size: 1 max_batch_size: 2", "ModelConfig.max_batch_size: multiple values"],
      ["version_policy { all {} latest {} }", "policy_choice: multiple values"],
      ['name: "m', "unterminated string (line 1)"],
      ['name: "n"', 'at name: "m" is expected, as the model is called; "n" came'],
      ['{"name": "m"}', "illegal field name '{' (line 1)"]
    ]
    for (const [text, reason] of table) {
      assert.strictEqual(yield* Effect.flip(parse("m", text, "text")), reason)
    }
  })
)

it.live("are read from config.pbtxt, and from config.json where both are there", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    const { layer: logger, warnings } = log()
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    Folder.put(folder, "m/2/model.onnx", { model: "more/triple" })
    Folder.put(folder, "m/config.pbtxt", 'name: "m" max_batch_size: 4 version_policy { all {} }')
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const settings = Effect.map(service.modelConfig({ model: "m" }), ({ settings }) => settings)
      const versions = Effect.map(service.modelMetadata({ model: "m" }), ({ versions }) => versions)
      assert.deepStrictEqual(yield* settings, { name: "m", max_batch_size: 4, version_policy: { all: {} } })
      assert.deepStrictEqual(yield* versions, ["2", "1"])
      Folder.put(folder, "m/config.pbtxt", "max_batch_size: 2")
      yield* service.load("m")
      assert.deepStrictEqual(yield* settings, { max_batch_size: 2 })
      assert.deepStrictEqual(yield* versions, ["2"])
      assert.deepStrictEqual(warnings, [])
      Folder.put(folder, "m/config.json", JSON.stringify({ max_batch_size: 3 }))
      yield* service.load("m")
      yield* service.load("m")
      assert.deepStrictEqual(yield* settings, { max_batch_size: 3 })
      assert.deepStrictEqual(warnings, ['the model "m": its config.json counts, and its config.pbtxt does not'])
      rmSync(`${folder}/m/config.json`)
      Folder.put(folder, "m/config.pbtxt", "max_batchsize: 2")
      assert.strictEqual(
        (yield* Effect.flip(service.load("m"))).message,
        `failed to load the model "m": failed to poll from model repository: its config.pbtxt: ModelConfig: unknown field 'max_batchsize' (line 1)`
      )
      assert.deepStrictEqual(yield* settings, { max_batch_size: 3 })
    }).pipe(Effect.provide(layer(folder)), Effect.provide(logger))
  }).pipe(Effect.scoped)
)

it.live("are refused where they contradict the model, and followed where they leave open what it does", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/1/model.onnx", { model: "sigmoid" })
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const load = (config: unknown) => service.load("m", { config: JSON.stringify(config) })
      const refusal = (config: unknown) => Effect.map(Effect.flip(load(config)), ({ message }) => message)
      const refused = (what: string) =>
        `failed to load the model "m": its settings give ${what}; correct them, or leave that out`
      const x = { name: "x", data_type: "TYPE_FP32" }
      assert.strictEqual(
        yield* refusal({ max_batch_size: 8, input: [{ ...x, dims: [3] }] }),
        refused('"x" the dims [3], and the model has [-1, 2]')
      )
      assert.strictEqual(
        yield* refusal({ input: [{ ...x, data_type: "TYPE_INT32", dims: [2] }] }),
        refused('"x" the data_type TYPE_INT32, and the model has TYPE_FP32')
      )
      assert.strictEqual(
        yield* refusal({ output: [{ name: "y", dims: [4] }] }),
        refused('"y" the dims [4], and the model has [-1, 3]')
      )
      for (const dims of [[2], [-1], [-1, 2], [7, 2], []]) yield* load({ input: [{ ...x, dims }], output: [] })
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live("that name outputs serve these alone, as Triton does, on either port", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    const { layer: logger, warnings } = log()
    for (const model of ["json", "text", "none"]) Folder.put(folder, `${model}/1/model.onnx`, { model: "sigmoid" })
    Folder.put(folder, "json/config.json", JSON.stringify({ output: [{ name: "logit" }] }))
    Folder.put(folder, "text/config.pbtxt", 'output { name: "logit" data_type: TYPE_FP32 dims: [ 3 ] }')
    Folder.put(folder, "none/config.pbtxt", 'input { name: "x" data_type: TYPE_FP32 dims: [ 2 ] }')
    // Its other output is in no tensor, which nobody need be told of who does not want it.
    Folder.put(folder, "pieces/1/model.onnx", { model: "more/some-pieces" })
    Folder.put(folder, "pieces/config.json", JSON.stringify({ output: [{ name: "y" }] }))
    const serving = InferenceServer.layer({ repository: folder, port: 0, grpcPort: 0, executionProviders: ["cpu"] })
    yield* Effect.gen(function* () {
      const { grpc = "" } = yield* InferenceServer.InferenceServer
      const client = yield* GrpcClient.connect(grpc)
      const { method } = GRPCInferenceService
      const namesOf = (outputs: unknown) =>
        (outputs as ReadonlyArray<{ readonly name: string }>).map(({ name }) => name)
      for (const [model, names] of [
        ["json", ["logit"]],
        ["text", ["logit"]],
        ["none", ["y", "logit"]]
      ] as const) {
        const path = `/v2/models/${model}`
        const body = { inputs: [tensor("x", "FP32", [1, 2], [0, 0])] }
        const answer = yield* call(`${path}/infer`, body)
        const described = [yield* call(path), answer].map(({ body }) => namesOf(body.outputs))
        const configured = namesOf((yield* call(`${path}/config`)).body.output)
        const data = new Uint8Array(8)
        const sent = {
          modelName: model,
          inputs: [{ name: "x", datatype: "FP32", shape: [1n, 2n] }],
          rawInputContents: [data]
        }
        const inferred = yield* GrpcClient.ask(client, method.modelInfer, sent)
        const metadata = yield* GrpcClient.ask(client, method.modelMetadata, { name: model })
        const config = yield* GrpcClient.ask(client, method.modelConfig, { name: model })
        const all = [inferred.message?.outputs, metadata.message?.outputs, config.message?.config?.output].map(namesOf)
        assert.deepStrictEqual([...described, configured, ...all], Array(6).fill(names))
        const { data: logit } = (answer.body.outputs as ReadonlyArray<{ data: unknown }>).at(-1)!
        assert.deepStrictEqual(logit, [0.1, -0.2, 0.3].map(Math.fround))
        const asked = yield* call(`${path}/infer`, { ...body, outputs: [{ name: "y" }] })
        const called = yield* GrpcClient.ask(client, method.modelInfer, { ...sent, outputs: [{ name: "y" }] })
        if (model === "none") assert.deepStrictEqual([asked.status, called.code], [200, undefined])
        else {
          const error = 'the model gives "logit" as FP32 [-1, 3]; the output "y" was asked for; ask for these'
          assert.deepStrictEqual([asked.status, asked.body], [400, { error }])
          assert.deepStrictEqual([called.code, called.details], [status.INVALID_ARGUMENT, error])
        }
      }
    }).pipe(Effect.provide(serving), Effect.provide(logger))
    assert.deepStrictEqual(warnings, [])
    Folder.put(folder, "json/config.json", JSON.stringify({ output: [{ name: "z" }] }))
    const { message } = yield* Effect.flip(Effect.void.pipe(Effect.provide(serving)))
    assert.include(message, 'its settings name the output "z"; the model has "y", "logit"')
  }).pipe(Effect.scoped)
)

it.live("are told of where they are not followed, and where there is no model for them", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    const { layer: logger, warnings } = log()
    Folder.put(folder, "m/1/model.onnx", { model: "more/double" })
    Folder.put(folder, "m/config.pbtxt", "response_cache { enable: true }")
    Folder.put(folder, "empty/config.pbtxt", 'name: "empty"')
    Folder.put(folder, "python/config.pbtxt", 'backend: "python"')
    Folder.put(folder, "python/1/model.py", "")
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const lack = "its folder holds settings, and no version with a model such as 1/model.onnx"
      const told = [
        `the model "empty": ${lack}`,
        `the model "python": ${lack}; its config.pbtxt: at backend: onnxruntime is expected; "python" came`,
        'the model "m": of its settings, this server does not follow response_cache'
      ]
      assert.deepStrictEqual(warnings, told)
      assert.deepStrictEqual(
        (yield* service.index).map(({ name }) => name),
        ["m"]
      )
      yield* service.load("m")
      assert.deepStrictEqual(warnings, told)
      yield* service.load("m", { config: '{"model_warmup": [{"name": "w"}]}' })
      assert.deepStrictEqual(warnings.slice(3), [
        'the model "m": of its settings, this server does not follow model_warmup'
      ])
    }).pipe(Effect.provide(layer(folder)), Effect.provide(logger))
  }).pipe(Effect.scoped)
)

it.live("may give a model's file another name", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/1/double.onnx", { model: "more/double" })
    Folder.put(folder, "m/2/model.onnx", { model: "more/triple" })
    Folder.put(folder, "m/config.pbtxt", 'default_model_filename: "double.onnx"')
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const versions = Effect.map(service.modelMetadata({ model: "m" }), ({ versions }) => versions)
      assert.deepStrictEqual(yield* versions, ["1"])
      Folder.put(folder, "m/2/double.onnx", { model: "more/double" })
      yield* service.load("m")
      assert.deepStrictEqual(yield* versions, ["2"])
      for (const name of ["../2/double.onnx", "..", "a\\b", "a\0b"]) {
        const config = JSON.stringify({ default_model_filename: name })
        assert.match((yield* Effect.flip(service.load("m", { config }))).message, /at default_model_filename: /)
      }
      const config = JSON.stringify({ default_model_filename: "double.onnx" })
      assert.match((yield* Effect.flip(service.load("m", { config }))).message, /names no other file than model\.onnx/)
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live("give the shapes that a model does not declare, without which it is refused", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    Folder.put(folder, "m/1/model.onnx", { model: "more/shapeless" })
    const refused = yield* Effect.flip(Effect.void.pipe(Effect.provide(layer(folder))))
    assert.strictEqual(
      refused.message,
      'the model "m": expected one that onnxruntime can run, but it declares no shape for its input "x"; give one by "dims" in a config.pbtxt in its folder, or export it with shapes'
    )
    Folder.put(folder, "m/config.pbtxt", 'max_batch_size: 8 input { name: "x" data_type: TYPE_FP32 dims: [ 2, -1 ] }')
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      const shapes = Effect.map(service.modelMetadata({ model: "m" }), ({ inputs }) => inputs.map(({ shape }) => shape))
      assert.deepStrictEqual(yield* shapes, [["", 2, ""]])
      const ask = (...shape: ReadonlyArray<number>) => {
        const data = new Float32Array(shape.reduce((count, size) => count * size, 1)).fill(1)
        return service.infer({ model: "m" }, { inputs: [{ name: "x", datatype: "FP32", shape, data }] })
      }
      const [output] = (yield* ask(1, 2, 3)).outputs
      assert.deepStrictEqual([output?.shape, output?.data], [[1, 2, 3], new Float32Array(6).fill(-1)])
      assert.strictEqual((yield* Effect.flip(ask(2, 3)))._tag, "RequestInvalid")
      yield* service.load("m", { config: '{"input": [{"name": "x", "dims": [4]}]}' })
      assert.deepStrictEqual(yield* shapes, [[4]])
    }).pipe(Effect.provide(layer(folder)))
  }).pipe(Effect.scoped)
)

it.live("that ask for batches of a model whose rows depend on each other are told to be in vain", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    const { layer: logger, warnings } = log()
    for (const model of ["across", "double"]) {
      Folder.put(folder, `${model}/1/model.onnx`, { model: `more/${model}` })
      Folder.put(folder, `${model}/config.json`, JSON.stringify({ max_batch_size: 8 }))
    }
    yield* Effect.gen(function* () {
      const service = yield* DataPlane
      assert.strictEqual((yield* service.modelConfig({ model: "across" })).maxBatchSize, 0)
      assert.strictEqual((yield* service.modelConfig({ model: "double" })).maxBatchSize, 8)
      yield* service.load("across")
      assert.deepStrictEqual(warnings, [
        'the model "across" takes each request by itself, though its settings say "max_batch_size": 8: a trial did not show that rows give together what each gives alone'
      ])
    }).pipe(Effect.provide(layer(folder)), Effect.provide(logger))
  }).pipe(Effect.scoped)
)
