import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { GRPCInferenceService } from "../../src/grpc/grpc_service_pb.ts"
import * as InferenceServer from "../../src/InferenceServer.ts"
import { call, tensor } from "../Client.ts"
import * as GrpcClient from "../grpc/GrpcClient.ts"
import { images } from "../http/Ask.ts"

const { method } = GRPCInferenceService

/** Makes an image of one colour, channels first. */
const picture = (size: number, ...channels: ReadonlyArray<number>) =>
  channels.flatMap((value) => new Array<number>(size * size).fill(value))

const densenet = { shape: [3, 224, 224], data: picture(224, 7, 0, 3) }
const classified = (name: string, classification: number) => ({ name, parameters: { classification } })

layer(
  InferenceServer.layer({
    ...{ repository: images, port: 0, grpcPort: 0, name: "triton" },
    executionProviders: ["cpu"],
    access: { admin: "open" }
  }),
  { excludeTestServices: true }
)("models of images", (it) => {
  const client = InferenceServer.InferenceServer.use(({ grpc = "" }) => GrpcClient.connect(grpc))

  it.effect("are told as their settings say, by a server of the name that it was given", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* call("/v2")).body.name, "triton")
      const { body } = yield* call("/v2/models/colours/config")
      assert.deepStrictEqual(body, {
        ...{ name: "colours", platform: "onnxruntime_onnx", backend: "onnxruntime", max_batch_size: 8 },
        input: [{ name: "image", data_type: "TYPE_FP32", dims: [3, 32, 32], format: "FORMAT_NCHW" }],
        output: [{ name: "probabilities", data_type: "TYPE_FP32", dims: [4], label_filename: "labels.txt" }]
      })
      const metadata = (yield* call("/v2/models/densenet_onnx")).body
      assert.deepStrictEqual(metadata.inputs, [{ name: "data_0", datatype: "FP32", shape: [3, 224, 224] }])
      assert.deepStrictEqual(metadata.outputs, [{ name: "fc6_1", datatype: "FP32", shape: [4] }])
      const connected = yield* client
      const { message } = yield* GrpcClient.ask(connected, method.serverMetadata, {})
      assert.strictEqual(message?.name, "triton")
      const config = (yield* GrpcClient.ask(connected, method.modelConfig, { name: "densenet_onnx" })).message?.config
      // FORMAT_NCHW is 2.
      assert.deepInclude(config?.input[0], { name: "data_0", format: 2, dims: [3n, 224n, 224n] })
      assert.deepStrictEqual(config?.input[0]?.reshape?.shape, [1n, 3n, 224n, 224n])
      assert.deepInclude(config?.output[0], { dims: [4n], labelFilename: "densenet_labels.txt" })
    })
  )

  it.effect("are classified with labels, each example or the one that there is", () =>
    Effect.gen(function* () {
      const three = [picture(32, 200, 0, 0), picture(32, 0, 9, 200), picture(32, 1, 1, 1)]
      const { body } = yield* call("/v2/models/colours/infer", {
        inputs: [tensor("image", "FP32", [3, 3, 32, 32], three.flat())],
        outputs: [classified("probabilities", 1)]
      })
      const [{ data = [], shape = [] } = {}] = body.outputs as ReadonlyArray<{ data?: Array<string>; shape?: unknown }>
      assert.deepStrictEqual(shape, [3, 1])
      assert.deepStrictEqual(
        data.map((text) => text.split(":").slice(1).join(" ")),
        ["0 red", "2 blue", "3 grey"]
      )
      const one = yield* call("/v2/models/densenet_onnx/infer", {
        inputs: [tensor("data_0", "FP32", densenet.shape, densenet.data)],
        outputs: [classified("fc6_1", 2)]
      })
      const best = ["7.000000:0:RED", "3.000000:2:BLUE"]
      assert.deepStrictEqual(one.body.outputs, [{ name: "fc6_1", datatype: "BYTES", shape: [2], data: best }])
    })
  )

  it.effect("take and give the shapes that clients see, and no others", () =>
    Effect.gen(function* () {
      const connected = yield* client
      const ask = (shape: ReadonlyArray<bigint>, classes?: bigint) =>
        GrpcClient.ask(connected, method.modelInfer, {
          modelName: "densenet_onnx",
          inputs: [{ name: "data_0", datatype: "FP32", shape: [...shape] }],
          outputs: [
            {
              name: "fc6_1",
              parameters:
                classes === undefined
                  ? {}
                  : { classification: { parameterChoice: { case: "int64Param", value: classes } } }
            }
          ],
          rawInputContents: [new Uint8Array(Float32Array.from(densenet.data).buffer)]
        })
      const whole = (yield* ask([3n, 224n, 224n])).message
      assert.deepStrictEqual(whole?.outputs[0]?.shape, [4n])
      const raw = new Uint8Array(whole?.rawOutputContents[0] ?? [])
      assert.deepStrictEqual(new Float32Array(raw.buffer), Float32Array.of(7, 0, 3, -10))
      const labelled = (yield* ask([3n, 224n, 224n], 1n)).message
      assert.deepStrictEqual(labelled?.outputs[0]?.shape, [1n])
      assert.include(Buffer.from(labelled?.rawOutputContents[0] ?? []).toString(), "7.000000:0:RED")
      assert.strictEqual(
        (yield* ask([1n, 3n, 224n, 224n])).details,
        'the input "data_0" has the shape [3, 224, 224] in the model (-1 is any size); [1, 3, 224, 224] came; send a shape that fits'
      )
    })
  )

  it.effect("are not loaded with settings that do not fit them", () =>
    Effect.gen(function* () {
      const load = (config: unknown) =>
        Effect.map(
          call("/v2/repository/models/densenet_onnx/load", { parameters: { config: JSON.stringify(config) } }),
          ({ body }) => body.error
        )
      const failed = 'failed to load the model "densenet_onnx": '
      const reshape = (dims: ReadonlyArray<number>, shape: ReadonlyArray<number>) => ({
        output: [{ name: "fc6_1", dims, reshape: { shape } }]
      })
      const rule =
        '"reshape" is an example\'s shape in the model, without sizes left open, and "dims" one of as many elements'
      assert.strictEqual(
        yield* load({ input: [{ name: "data_1" }] }),
        `${failed}its settings name the input "data_1"; the model has "data_0"`
      )
      assert.strictEqual(
        yield* load(reshape([4], [4, 1, 1])),
        `${failed}its settings reshape "fc6_1" from [4] to [4, 1, 1], and the model has [1, 4, 1, 1] there; ${rule}`
      )
      assert.strictEqual(
        yield* load(reshape([5], [1, 4, 1, 1])),
        `${failed}its settings reshape "fc6_1" from [5] to [1, 4, 1, 1], and the model has [1, 4, 1, 1] there; ${rule}`
      )
      assert.strictEqual(
        yield* load(reshape([-1, 4, -1], [1, 4, 1, 1])),
        `${failed}its settings reshape "fc6_1" from [-1, 4, -1] to [1, 4, 1, 1], and the model has [1, 4, 1, 1] there; ${rule}`
      )
      assert.match(
        String(yield* load({ input: [{ name: "data_0", format: "NCHW" }] })),
        /^failed to load the model "densenet_onnx": failed to poll from model repository: its config: at input\.0\.format: /
      )
      assert.strictEqual(yield* load({}), undefined)
      const { body } = yield* call("/v2/models/densenet_onnx")
      assert.deepStrictEqual(body.inputs, [{ name: "data_0", datatype: "FP32", shape: [1, 3, 224, 224] }])
      assert.strictEqual((yield* call("/v2/repository/models/densenet_onnx/load", {})).status, 200)
    })
  )
})
