/**
 * Layers models that TensorFlow.js itself made and saved, compared with the answers of its own `predict`.
 */
import { readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { expect, it } from "@effect/vitest"
import { Circuit, Dataset, Engine, FreeRun, NdArray, Plan, Pseudorandom, TfjsEngine, Training } from "@rai/core"
import * as tf from "@tensorflow/tfjs"
import { Effect } from "effect"
import { LayersModel, Onnx, Onnxruntime, Predict } from "../src/index.ts"
import * as Folder from "./Folder.ts"

const core = createRequire(import.meta.url).resolve("@rai/core")
/** The part of tfjs-node that works without the native library: it writes models. */
const { NodeFileSystem } = createRequire(core)("@tensorflow/tfjs-node/dist/io/file_system.js")

const { layers } = tf
const image = [8, 8, 2] as const

const residual = (): tf.LayersModel => {
  const x = tf.input({ shape: [...image] })
  const first = layers.conv2d({ filters: 4, kernelSize: 3, padding: "same" }).apply(x)
  const normed = layers.batchNormalization({}).apply(first)
  const bent = layers.leakyReLU({ alpha: 0.1 }).apply(normed)
  const second = layers.separableConv2d({ filters: 4, kernelSize: 3, padding: "same" }).apply(bent)
  const sum = layers.add().apply([first, second] as Array<tf.SymbolicTensor>)
  const sides = [
    layers.maxPooling2d({ poolSize: 2 }).apply(sum),
    layers.averagePooling2d({ poolSize: 3, strides: 2, padding: "same" }).apply(sum)
  ] as Array<tf.SymbolicTensor>
  const both = layers.concatenate().apply(sides)
  const pooled = layers.globalAveragePooling2d({}).apply(both)
  return tf.model({ inputs: x, outputs: layers.dense({ units: 3 }).apply(pooled) as tf.SymbolicTensor })
}

/** A model with one layer called twice and a model nested in it. */
const shared = (): tf.LayersModel => {
  const x = tf.input({ shape: [6] })
  const inner = tf.sequential({
    layers: [layers.dense({ units: 5, activation: "selu", inputShape: [6] }), layers.dense({ units: 6 })]
  })
  const twice = layers.dense({ units: 6, activation: "softsign" })
  const h = twice.apply(inner.apply(twice.apply(x) as tf.SymbolicTensor) as tf.SymbolicTensor)
  const product = layers.multiply().apply([h, x] as Array<tf.SymbolicTensor>)
  const most = layers.maximum().apply([product, h] as Array<tf.SymbolicTensor>)
  const mean = layers.average().apply([most, x] as Array<tf.SymbolicTensor>)
  return tf.model({ inputs: x, outputs: layers.dense({ units: 2 }).apply(mean) as tf.SymbolicTensor })
}

const models: Readonly<Record<string, () => tf.LayersModel>> = {
  perceptron: () =>
    tf.sequential({
      layers: [
        layers.dense({ units: 8, activation: "relu", inputShape: [4] }),
        layers.dropout({ rate: 0.3 }),
        layers.dense({ units: 6, useBias: false }),
        layers.elu({}),
        layers.dense({ units: 3, activation: "softmax" })
      ]
    }),
  convolutional: () =>
    tf.sequential({
      layers: [
        layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", useBias: false, inputShape: [...image] }),
        layers.batchNormalization({}),
        layers.reLU({ maxValue: 6 }),
        layers.maxPooling2d({ poolSize: 2 }),
        layers.zeroPadding2d({
          padding: [
            [1, 0],
            [2, 1]
          ] as never
        }),
        layers.conv2d({ filters: 5, kernelSize: [3, 2], strides: 2, activation: "tanh" }),
        layers.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: "same" }),
        layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, activation: "sigmoid" }),
        layers.permute({ dims: [3, 1, 2] }),
        layers.flatten(),
        layers.dense({ units: 3 })
      ]
    }),
  normalised: () =>
    tf.sequential({
      layers: [
        layers.dense({ units: 10, inputShape: [6] }),
        layers.layerNormalization({}),
        layers.activation({ activation: "swish" }),
        layers.batchNormalization({ scale: false, center: false }),
        layers.dense({ units: 8 }),
        layers.prelu({}),
        layers.activation({ activation: "hardSigmoid" }),
        layers.reshape({ targetShape: [2, 4] }),
        layers.dense({ units: 3, activation: "mish" }),
        layers.flatten(),
        layers.softmax({}),
        layers.dense({ units: 2, activation: "sigmoid" })
      ]
    }),
  signal: () =>
    tf.sequential({
      layers: [
        layers.conv1d({
          filters: 5,
          kernelSize: 4,
          strides: 2,
          padding: "same",
          activation: "selu",
          inputShape: [12, 2]
        }),
        layers.maxPooling1d({ poolSize: 2 }),
        layers.conv1d({ filters: 4, kernelSize: 2, dilationRate: 2 }),
        layers.averagePooling1d({ poolSize: 2, strides: 1, padding: "same" }),
        layers.thresholdedReLU({ theta: 0.1 }),
        layers.globalMaxPooling1d({}),
        layers.dense({ units: 2 })
      ]
    }),
  volume: () =>
    tf.sequential({
      layers: [
        layers.rescaling({ scale: 0.5, offset: -1, inputShape: [4, 5, 3, 2] }),
        layers.conv3d({ filters: 3, kernelSize: [2, 3, 1], activation: "relu6" }),
        layers.gaussianNoise({ stddev: 0.1 }),
        layers.flatten(),
        layers.dense({ units: 2, activation: "gelu" })
      ]
    }),
  words: () =>
    tf.sequential({
      layers: [
        layers.embedding({ inputDim: 7, outputDim: 3, inputLength: 5 }),
        layers.globalAveragePooling1d({}),
        layers.dense({ units: 2, activation: "softplus" })
      ]
    }),
  residual,
  shared
}

/** Sets weights as if after some training, so that none is 0 or 1 for never having been updated. */
const settle = (model: tf.LayersModel, seed: number): tf.LayersModel => {
  const random = Pseudorandom.make(seed)
  for (const weight of model.weights) {
    const n = weight.shape.reduce<number>((a, b) => a * b!, 1)
    const numbers = weight.originalName.endsWith("variance") ? random.uniforms(n, 0.5, 2) : random.normals(n)
    weight.write(tf.tensor(Array.from(numbers), weight.shape as Array<number>))
  }
  return model
}

const examples = 7

const inputs = (name: string, model: tf.LayersModel): tf.Tensor => {
  const shape = [examples, ...(model.inputs[0]!.shape.slice(1) as Array<number>)]
  const n = NdArray.size(shape)
  const random = Pseudorandom.make(1)
  const numbers = name === "words" ? Array.from(random.uniforms(n, 0, 7), Math.floor) : Array.from(random.normals(n))
  return tf.tensor(numbers, shape)
}

const rows = (tensor: tf.Tensor): NdArray.NdArray => NdArray.make([examples, tensor.size / examples], tensor.dataSync())

const furthest = (came: NdArray.NdArray, expected: NdArray.NdArray): number => {
  expect(came.shape).toEqual(expected.shape)
  return Array.from(came.data).reduce((worst, a, i) => Math.max(worst, Math.abs(a - expected.data[i]!)), 0)
}

const freeRun = Effect.fnUntraced(function* (
  { circuit, parameters }: { readonly circuit: Circuit.Circuit; readonly parameters: Engine.Arrays },
  x: NdArray.NdArray
) {
  const { output } = yield* Engine.run(yield* FreeRun.program(circuit), { ...parameters, x })
  return output!
})

const saved = (model: tf.LayersModel, folder: string) => Effect.promise(() => model.save(new NodeFileSystem(folder)))

for (const [i, [name, make]] of Object.entries(models).entries()) {
  const model = settle(make(), i)
  const given = inputs(name, model)
  const expected = rows(model.predict(given) as tf.Tensor)
  const x = rows(given)

  it.effect(
    `${name}: predict, the free run, of the folder and of the model in memory, and onnxruntime answer alike`,
    () =>
      Effect.gen(function* () {
        const folder = yield* Folder.make
        yield* saved(model, folder)
        const read = yield* LayersModel.read(folder)
        const direct = yield* Onnxruntime.run(yield* LayersModel.toOnnx(folder), {
          x: { shape: given.shape, data: x.data }
        })
        const [answer] = Object.values(direct)
        expect(furthest(NdArray.make(expected.shape, answer!.data), expected)).toBeLessThan(1e-5)
        expect(read.example).toEqual(given.shape.slice(1))
        expect(furthest(yield* freeRun(read, x), expected)).toBeLessThan(1e-5)
        const inMemory = yield* LayersModel.fromModel(model)
        expect(inMemory.parameters).toEqual(read.parameters)
        expect(yield* freeRun(inMemory, x)).toEqual(yield* freeRun(read, x))
      }).pipe(Effect.provide(TfjsEngine.layerWasm))
  )

  it.effect(`${name}: written and after 20 steps too, onnxruntime answers as the free run`, () =>
    Effect.gen(function* () {
      const { circuit, example, parameters: before } = yield* LayersModel.fromModel(model)
      const [, width] = expected.shape as readonly [number, number]
      const targets = NdArray.make([examples, width], Pseudorandom.make(1).normals(examples * width))
      const inputNames = Array.from({ length: x.shape[1]! }, (_, k) => `x${k}`)
      const data = yield* Dataset.make({ inputs: x, targets, task: "regression", inputNames })
      const settings = { steps: 20, optimizer: Plan.auto(circuit).phases[0]!.optimizer }
      const plan = Circuit.depth(circuit) > 1 ? Plan.relax(settings) : Plan.backpropagate(settings)
      const trained = yield* Training.fit(circuit, data, { plan, seed: 0 })
      // What is written takes examples in the shape in which TensorFlow.js does.
      const shaped = { x: { data: x.data, shape: [examples, ...example] } }
      const still = yield* Onnxruntime.run(yield* Onnx.make({ ...trained, parameters: before }), shaped)
      expect(furthest(still.value!, expected)).toBeLessThan(1e-5)
      for (const [parameter, { role }] of Object.entries(Circuit.parameters(circuit))) {
        const moved = furthest(trained.parameters[parameter]!, before[parameter]!)
        if (role === "statistic") expect(moved).toBe(0)
        else expect(moved, parameter).toBeGreaterThan(0)
      }
      const { value } = yield* Onnxruntime.run(yield* Onnx.make(trained), shaped)
      expect(furthest(value!, yield* freeRun(trained, x))).toBeLessThan(1e-5)
    }).pipe(Effect.provide(TfjsEngine.layerWasm))
  )
}

it.effect("up to its logits a classifier ends before its softmax", () =>
  Effect.gen(function* () {
    const model = settle(models.perceptron!(), 0)
    const last = (read: { readonly circuit: Circuit.Circuit }) => Circuit.sites(read.circuit).at(-1)!.block.kind
    expect(last(yield* LayersModel.fromModel(model))).toBe("Softmax")
    expect(last(yield* LayersModel.fromModel(model, { logits: true }))).toBe("Gemm")
    const regression = settle(models.signal!(), 0)
    expect(last(yield* LayersModel.fromModel(regression, { logits: true }))).toBe("Gemm")
  })
)

it.effect("of two outputs the circuit has the first and tells the other; a prediction has both", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    const x = tf.input({ shape: [4] })
    const ends = ["near", "far"].map((name) => layers.dense({ units: 2, name }).apply(x) as tf.SymbolicTensor)
    yield* saved(tf.model({ inputs: x, outputs: ends }), folder)
    const { others, output } = yield* LayersModel.read(folder)
    const { outputs } = yield* Predict.predict(folder, NdArray.make([1, 4], [1, 2, 3, 4]))
    expect(others.length).toBe(1)
    expect(Object.keys(outputs)).toEqual([output, ...others])
    expect((yield* LayersModel.fromModel(models.perceptron!())).others).toEqual([])
  })
)

it.effect("weights in 8 and 16 bits stand for scale · q + min, those in float16 for themselves", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    const file = join(folder, "model.json")
    const layer = {
      class_name: "Dense",
      config: { name: "d", units: 2, batch_input_shape: [null, 2], activation: "linear" }
    }
    const quantised = (name: string, shape: ReadonlyArray<number>, quantization: object) => ({
      name,
      shape,
      dtype: "float32",
      quantization
    })
    const weights = [
      quantised("d/kernel", [2, 2], { dtype: "uint8", scale: 0.5, min: -1 }),
      quantised("d/bias", [2], { dtype: "float16" })
    ]
    writeFileSync(join(folder, "a.bin"), Uint8Array.of(0, 1))
    writeFileSync(join(folder, "b.bin"), Uint8Array.of(2, 255, 0, 0x3c, 0, 0xc0))
    const manifest = [{ paths: ["./a.bin", "b.bin"], weights }]
    const modelTopology = { model_config: { class_name: "Sequential", config: [layer] } }
    writeFileSync(file, JSON.stringify({ modelTopology, weightsManifest: manifest }))
    const { circuit, parameters } = yield* LayersModel.read(file)
    expect(Array.from(parameters["d.kernel"]!.data)).toEqual([-1, -0.5, 0, 126.5])
    expect(Array.from(parameters["d.bias"]!.data)).toEqual([1, -2])
    const { weightMap } = {
      weightMap: tf.io.decodeWeights(Uint8Array.of(0, 1, 2, 255, 0, 0x3c, 0, 0xc0).buffer, weights as never)
    }
    for (const [name, tensor] of Object.entries(weightMap)) {
      expect(Array.from(tensor.dataSync())).toEqual(Array.from(parameters[name.replace("/", ".")]!.data))
    }
    expect(Circuit.sites(circuit).map(({ path }) => path)).toEqual(["d/Gemm"])
  })
)

const broken: Readonly<Record<string, readonly [(folder: string) => void, string]>> = {
  "no model.json": [
    (folder) => rmSync(join(folder, "model.json")),
    "/model.json: expected a file to read, but it is not there; check the path"
  ],
  "no JSON": [
    (folder) => writeFileSync(join(folder, "model.json"), "layers"),
    "/model.json: expected a layers-model of TensorFlow.js, modelTopology and weightsManifest, but it is no JSON; export the model again from where it comes"
  ],
  "other JSON": [
    (folder) => writeFileSync(join(folder, "model.json"), `{"layers": []}`),
    '/model.json: expected a layers-model of TensorFlow.js, modelTopology and weightsManifest, but it holds something else (Missing key   at ["modelTopology"]); export the model again from where it comes'
  ],
  "a graph-model": [
    (folder) => writeFileSync(join(folder, "model.json"), `{"format": "graph-model"}`),
    "/model.json: expected a layers-model of TensorFlow.js, modelTopology and weightsManifest, but it is a graph-model, in which no layers are left; export the model again from where it comes"
  ],
  "a missing shard": [
    (folder) => rmSync(join(folder, "weights.bin")),
    "/model.json: expected all shards of the weights in the model's folder, but «weights.bin» is not there; export the model again from where it comes"
  ],
  "a shard that is too short": [
    (folder) => truncateSync(join(folder, "weights.bin"), 100),
    "/model.json: expected 32 numbers of «dense/kernel» [4,8] in weights.bin, but only 100 bytes are left; export the model again from where it comes"
  ],
  "a shard that is too long": [
    (folder) => truncateSync(join(folder, "weights.bin"), 10_000),
    "/model.json: expected 436 bytes of weights in weights.bin, as the manifest says, but 10000 came; export the model again from where it comes"
  ],
  "a shard above the folder": [
    (folder) => changed(folder, (text) => text.replace("weights.bin", "../weights.bin")),
    "/model.json: expected all shards of the weights in the model's folder, but «../weights.bin» lies outside it; export the model again from where it comes"
  ],
  "a shard at the root": [
    (folder) => changed(folder, (text) => text.replace("weights.bin", "/etc/hostname")),
    "/model.json: expected all shards of the weights in the model's folder, but «/etc/hostname» lies outside it; export the model again from where it comes"
  ],
  "a shard behind a link": [
    (folder) => {
      rmSync(join(folder, "weights.bin"))
      symlinkSync("/etc/hostname", join(folder, "weights.bin"))
    },
    "/model.json: expected all shards of the weights in the model's folder, but «weights.bin» lies outside it; export the model again from where it comes"
  ],
  "a gigabyte that is not there": [
    (folder) => changed(folder, (text) => text.replace("[4,8]", "[4,67108864]")),
    "/model.json: expected 268435456 numbers of «dense/kernel» [4,67108864] in weights.bin, but only 436 bytes are left; export the model again from where it comes"
  ],
  "a weight that is missing": [
    (folder) => changed(folder, (text) => text.replace(/"name":"dense_Dense\d+\/bias"/, `"name":"b"`)),
    "/model.json: expected settings that fit each other in Dense «dense», but its weight «dense/bias» is missing; export the model again from where it comes"
  ],
  "layers that do not fit": [
    (folder) => changed(folder, (text) => text.replace("[null,4]", "[null,5]")),
    "/model.json: expected shapes and settings that fit each other in Gemm «dense/Gemm», but matMul expects a right factor [5,…] for [batch,5], and [4,8] comes; export the model again from where it comes"
  ],
  "a length that is open": [
    (folder) => changed(folder, (text) => text.replace("[null,4]", "[null,null]")),
    "/model.json: expected a model with one input whose lengths behind the batch are known, but «dense» takes [null,null]; export the model again from where it comes"
  ],
  "a type of text": [
    (folder) => changed(folder, (text) => text.replace(`[4,8],"dtype":"float32"`, `[4,8],"dtype":"string"`)),
    "/model.json: expected weights of the types float32, int32, float16, uint16, uint8, bool, but «dense/kernel» is string; export the model again from where it comes"
  ],
  "unknown layers and activations": [
    (folder) =>
      changed(folder, (text) => text.replace("Dropout", "Gate").replace("ELU", "Gate").replace("softmax", "sparsemax")),
    "/model.json: expected layers that are read, but these came: Gate (dropout, elu); Dense (dense) because its activation is sparsemax; build the model without them"
  ]
}

const changed = (folder: string, change: (text: string) => string): void => {
  const file = join(folder, "model.json")
  const text = readFileSync(file, "utf8")
  expect(change(text)).not.toBe(text)
  writeFileSync(file, change(text))
}

for (const [name, [damage, expected]] of Object.entries(broken)) {
  it.effect(`${name} is told`, () =>
    Effect.gen(function* () {
      const folder = yield* Folder.make
      yield* saved(models.perceptron!(), folder)
      damage(folder)
      const { message } = yield* Effect.flip(LayersModel.read(folder))
      expect(message.replaceAll(folder, "").replaceAll(/_[A-Za-z]+\d+/g, "")).toBe(expected)
    })
  )
}
