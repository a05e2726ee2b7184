/**
 * TensorFlow.js layers-models as circuits: their layers become ONNX operators, which are read like any other network's.
 */
import { create } from "@bufbuild/protobuf"
import { type NdArray, version } from "@rai/core"
import { Effect, Schema } from "effect"
import * as Model from "../Model.ts"
import * as ModelFile from "../ModelFile.ts"
import { type ModelProto, ModelProtoSchema } from "../onnx_pb.ts"
import { LayersUnsupported, ModelInvalid } from "../read/ModelInvalid.ts"
import type * as Network from "../read/Network.ts"
import * as Reading from "../read/Reading.ts"
import { attempt, Refused } from "../read/Refused.ts"
import { Writer } from "../Writer.ts"
import * as Artifacts from "./Artifacts.ts"
import { LayerCall, type Value } from "./LayerCall.ts"
import * as Layers from "./Layers.ts"
import * as Topology from "./Topology.ts"

/** Errors of reading a layers-model. */
export type Failed = ModelFile.FileUnreadable | LayersUnsupported | Network.Failed

/**
 * Reads the layers-model at `path`, a `model.json` or a folder that holds one, as a circuit up to its first output; x: [batch, inputs], each example
 * flattened in the order of TensorFlow.js, channels last.
 *
 * ```ts
 * import { Circuit } from "@rai/core"
 * import { LayersModel } from "@rai/export"
 * import { Effect } from "effect"
 * import { writeFile } from "node:fs/promises"
 *
 * const layers = [{ class_name: "Dense", config: { name: "dense", units: 1, activation: "tanh", batch_input_shape: [null, 2] } }]
 * const weights = [{ name: "dense/kernel", shape: [2, 1], dtype: "float32" }, { name: "dense/bias", shape: [1], dtype: "float32" }]
 * await writeFile("weights.bin", new Float32Array([1, -1, 0.5]))
 * await writeFile("model.json", JSON.stringify({
 *   modelTopology: { class_name: "Sequential", config: { name: "sequential", layers } },
 *   weightsManifest: [{ paths: ["weights.bin"], weights }]
 * }))
 * const { circuit } = await Effect.runPromise(LayersModel.read("model.json"))
 * Circuit.print(circuit) // => "graph 2→1"
 * Object.keys(Circuit.parameters(circuit)) // => ["dense.kernel", "dense.bias"]
 * ```
 */
export const read = Effect.fn("LayersModel.read")(function* (
  path: string,
  options: Pick<Reading.Options, "logits"> = {}
): Effect.fn.Return<Reading.Read, Failed> {
  const artifacts = yield* Artifacts.read(path)
  return yield* Reading.fromModel(yield* model(artifacts, artifacts.file), artifacts.file, options)
})

/** Converts the layers-model at `path` to the bytes of an ONNX model with the same input shape: ONNX without Python. */
export const toOnnx = Effect.fn("LayersModel.toOnnx")(function* (
  path: string
): Effect.fn.Return<Uint8Array, ModelFile.FileUnreadable | LayersUnsupported | ModelInvalid> {
  const artifacts = yield* Artifacts.read(path)
  const { graph } = yield* model(artifacts, artifacts.file)
  return Model.encode(graph!, { version, metadata: {}, opset })
})

/** Whether a path names a layers-model: JSON with a `modelTopology`, or a folder with a `model.json`. */
export const isAt = Effect.fn("LayersModel.isAt")(function* (path: string): Effect.fn.Return<boolean> {
  const file = yield* ModelFile.within(path, "model.json")
  if (!/\.json$/i.test(file)) return false
  const text = yield* Effect.orElseSucceed(ModelFile.read(file), () => new Uint8Array(0))
  return new TextDecoder().decode(text).includes(`"modelTopology"`)
})

/** The part of `tf.LayersModel` that is needed; anything else with these members is read alike. */
export interface InMemory {
  readonly name: string
  readonly toJSON: (unused: null, returnString: false) => unknown
  readonly weights: ReadonlyArray<{
    readonly originalName: string
    readonly read: () => { readonly shape: ReadonlyArray<number>; readonly data: () => Promise<ArrayLike<number>> }
  }>
}

/** Reads a model in memory, as `read` does; the model stays unchanged, and TensorFlow.js is not imported here. */
export const fromModel = Effect.fn("LayersModel.fromModel")(function* (
  of: InMemory,
  options: Pick<Reading.Options, "logits"> = {}
): Effect.fn.Return<Reading.Read, LayersUnsupported | Network.Failed> {
  const topology = yield* Effect.mapError(
    Schema.decodeUnknownEffect(Topology.schema)(of.toJSON(null, false)),
    () => new ModelInvalid({ file: of.name, expected: "a layers-model of TensorFlow.js", came: "it describes none" })
  )
  const weights = new Map<string, NdArray.NdArray>()
  for (const variable of of.weights) {
    const tensor = variable.read()
    const data = Float32Array.from(yield* Effect.promise(() => tensor.data()))
    weights.set(variable.originalName, { shape: [...tensor.shape], data })
  }
  return yield* Reading.fromModel(yield* model({ topology: Topology.of(topology), weights }, of.name), of.name, options)
})

/** The operator set that the layers are written in. */
const opset = 20

/** Writes the layers as an ONNX model with their input and their outputs. */
const model = Effect.fnUntraced(function* (
  { topology, weights }: Artifacts.Artifacts,
  file: string
): Effect.fn.Return<ModelProto, LayersUnsupported | ModelInvalid> {
  const walk = new Walk(file, weights)
  const shape = yield* walk.inputShape(topology)
  const input = { name: walk.writer.unique("x"), rank: shape.length }
  const outputs = yield* walk.outputs(topology, [input])
  if (walk.refusals.length > 0) return yield* new LayersUnsupported({ file, layers: grouped(walk.refusals) })
  if (outputs.length === 0) {
    return yield* new ModelInvalid({ file, expected: "a model with an output", came: "it has none" })
  }
  const declared = [...new Set(outputs.map(({ name }) => name))].map((name) => {
    const output = Model.value(name, [], "float")
    // The number of axes is not known before the graph is read.
    if (output.type?.value.case === "tensorType") output.type.value.value.shape = undefined
    return output
  })
  const graph = walk.writer.graph("layers", [Model.value(input.name, ["batch", ...shape.slice(1)], "float")], declared)
  return create(ModelProtoSchema, { graph, opsetImport: [{ domain: "", version: BigInt(opset) }] })
})

interface Refusal {
  readonly layer: string
  readonly name: string
  readonly reason?: string
}

/** Groups unknown layers by their class, the others by class and reason. */
const grouped = (refusals: ReadonlyArray<Refusal>) =>
  [...Map.groupBy(refusals, ({ layer, reason = "" }) => `${layer} ${reason}`).values()].map((same) => {
    const { layer, reason } = same[0]!
    return { layer, names: same.map(({ name }) => name), ...(reason !== undefined && { reason }) }
  })

class Walk {
  readonly writer = new Writer()
  readonly refusals: Array<Refusal> = []
  private readonly file: string
  private readonly weights: ReadonlyMap<string, NdArray.NdArray>

  constructor(file: string, weights: ReadonlyMap<string, NdArray.NdArray>) {
    this.file = file
    this.weights = weights
  }

  private invalid(expected: string, came: string): ModelInvalid {
    return new ModelInvalid({ file: this.file, expected, came })
  }

  /** Shape of the only input, the batch axis first. */
  readonly inputShape = Effect.fnUntraced(function* (
    this: Walk,
    of: Topology.Model
  ): Effect.fn.Return<ReadonlyArray<number>, ModelInvalid> {
    const expected = "a model with one input whose lengths behind the batch are known"
    const { input_layers } = of
    if (input_layers.length > 1) return yield* this.invalid(expected, `it has ${input_layers.length} inputs`)
    const named = of.layers.find((layer) => Topology.nameOf(layer) === input_layers[0]?.layer)
    const first = named ?? of.layers[0]
    if (first === undefined) return yield* this.invalid("a model with layers", "it has none")
    const inner = Topology.nested(first)
    if (inner !== undefined) return yield* this.inputShape(inner)
    const shape = first.config.batch_input_shape ?? first.config.batch_shape
    if (Array.isArray(shape) && shape.length > 1 && shape.slice(1).every((n) => Number.isSafeInteger(n) && n > 0)) {
      return shape.map(Number)
    }
    return yield* this.invalid(expected, `«${Topology.nameOf(first)}» takes ${JSON.stringify(shape) ?? "no shape"}`)
  })

  /** Outputs of a model for its inputs. */
  readonly outputs = (
    of: Topology.Model,
    inputs: ReadonlyArray<Value>
  ): Effect.Effect<ReadonlyArray<Value>, ModelInvalid> =>
    of.output_layers.length === 0 ? this.sequential(of, inputs) : this.functional(of, inputs)

  private readonly sequential = Effect.fnUntraced(function* (
    this: Walk,
    { layers }: Topology.Model,
    inputs: ReadonlyArray<Value>
  ): Effect.fn.Return<ReadonlyArray<Value>, ModelInvalid> {
    let values = inputs
    for (const layer of layers) values = yield* this.called(layer, values)
    return values
  })

  private readonly functional = Effect.fnUntraced(function* (
    this: Walk,
    of: Topology.Model,
    inputs: ReadonlyArray<Value>
  ): Effect.fn.Return<ReadonlyArray<Value>, ModelInvalid> {
    const layers = new Map(of.layers.map((layer) => [Topology.nameOf(layer), layer]))
    const given = new Map(of.input_layers.map(({ layer }, i) => [layer, inputs[i]]))
    const done = new Map<string, ReadonlyArray<Value> | "open">()
    const valueOf = (reference: Topology.Reference): Effect.Effect<Value, ModelInvalid> =>
      Effect.gen({ self: this }, function* () {
        const { call, layer: name, output } = reference
        const key = `${call} ${name}`
        const own = given.get(name)
        if (own !== undefined) return own
        const found = done.get(key)
        if (found === "open") return yield* this.invalid("layers without cycles", `«${name}» needs its own result`)
        const layer = layers.get(name)
        // Call 0 of a model is the one that made it.
        const first = layer !== undefined && Topology.nested(layer) !== undefined ? 1 : 0
        const takes = layer === undefined ? undefined : Topology.calls(layer)[call - first]
        if (layer === undefined || takes === undefined) {
          const came = layer === undefined ? `«${name}» is none of them` : `«${name}» has no call ${call}`
          return yield* this.invalid("every layer that is named to be there", came)
        }
        if (found === undefined) done.set(key, "open")
        const values = found ?? (yield* this.called(layer, yield* Effect.forEach(takes, valueOf)))
        done.set(key, values)
        const value = values[output]
        return value ?? (yield* this.invalid("every result that is named to be there", `«${name}» gives no ${output}`))
      })
    return yield* Effect.forEach(of.output_layers, valueOf)
  })

  /** Outputs of a layer; a refusal is recorded, and the layers after it are checked all the same. */
  private readonly called = Effect.fnUntraced(function* (
    this: Walk,
    layer: Topology.Layer,
    inputs: ReadonlyArray<Value>
  ): Effect.fn.Return<ReadonlyArray<Value>, ModelInvalid> {
    const name = Topology.nameOf(layer)
    const kind = layer.class_name
    const inner = Topology.nested(layer)
    if (inner !== undefined) return yield* this.outputs(inner, inputs)
    if (kind === "InputLayer") return inputs
    // That the output has as many axes as the input is a guess, so nothing after it is reported as invalid.
    const unsure = inputs.slice(0, 1).map((input) => ({ ...input, isUnsure: true }))
    const isUnsure = inputs.some((input) => input.isUnsure === true)
    const row = Layers.table.get(kind)
    if (row === undefined) {
      this.refusals.push({ layer: kind, name })
      return unsure
    }
    const { weights, writer } = this
    const given = attempt(() => row(new LayerCall({ name, inputs, config: layer.config, weights, writer })))
    if (!(given instanceof Refused)) return [{ ...given, isUnsure }]
    if (!given.isInvalid) this.refusals.push({ layer: kind, name, reason: given.message })
    else if (!isUnsure) {
      return yield* this.invalid(`settings that fit each other in ${kind} «${name}»`, given.message)
    }
    return unsure
  })
}
