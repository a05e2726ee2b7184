/**
 * The files of a TensorFlow.js layers-model: its topology as JSON, and its weights in files beside that.
 */
import { NdArray } from "@rai/core"
import { Effect, Schema } from "effect"
import { DataType } from "../Model.ts"
import * as ModelFile from "../ModelFile.ts"
import { ModelInvalid } from "../read/ModelInvalid.ts"
import * as Tensors from "../read/Tensors.ts"
import * as Topology from "./Topology.ts"

/** A layers-model: its layers, and its arrays by name, such as `dense/kernel`. */
export interface Artifacts {
  readonly topology: Topology.Model
  readonly weights: ReadonlyMap<string, NdArray.NdArray>
}

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const Entry = Schema.Struct({
  name: Schema.String,
  shape: Schema.Array(Count),
  dtype: Schema.String,
  quantization: Schema.optionalKey(
    Schema.Struct({
      dtype: Schema.String,
      scale: Schema.optionalKey(Schema.Finite),
      min: Schema.optionalKey(Schema.Finite)
    })
  )
})

const Groups = Schema.Array(Schema.Struct({ paths: Schema.Array(Schema.String), weights: Schema.Array(Entry) }))

const File = Schema.Struct({
  modelTopology: Topology.schema,
  weightsManifest: Groups
})

/** Reads the model at `path`, a file or a folder that holds `model.json`. */
export const read = Effect.fn("Artifacts.read")(function* (
  path: string
): Effect.fn.Return<Artifacts & { readonly file: string }, ModelFile.FileUnreadable | ModelInvalid> {
  const file = yield* ModelFile.within(path, "model.json")
  const text = new TextDecoder().decode(yield* ModelFile.read(file))
  const invalid = (came: string) =>
    new ModelInvalid({ file, expected: "a layers-model of TensorFlow.js, modelTopology and weightsManifest", came })
  const json = yield* Effect.mapError(Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Unknown))(text), () =>
    invalid("it is no JSON")
  )
  if ((json as { readonly format?: unknown } | null)?.format === "graph-model") {
    return yield* invalid("it is a graph-model, in which no layers are left")
  }
  const { modelTopology, weightsManifest } = yield* Effect.mapError(Schema.decodeUnknownEffect(File)(json), (error) =>
    invalid(`it holds something else (${error.message.split("\n").join(" ").trim()})`)
  )
  const weights = new Map<string, NdArray.NdArray>()
  for (const group of weightsManifest) {
    const bytes = yield* shards(file, group.paths)
    for (const [name, array] of yield* arrays(file, group, bytes)) weights.set(name, array)
  }
  return { file, topology: Topology.of(modelTopology), weights }
})

/** All the bytes of a group, shard after shard. */
const shards = Effect.fnUntraced(function* (
  file: string,
  paths: ReadonlyArray<string>
): Effect.fn.Return<Uint8Array, ModelFile.FileUnreadable | ModelInvalid> {
  const parts: Array<Uint8Array> = []
  for (const path of paths) {
    const found = ModelFile.beside(file, path)
    if (found === "outside" || found === undefined) {
      const came = `«${path}» ${found === undefined ? "is not there" : "lies outside it"}`
      return yield* new ModelInvalid({ file, expected: "all shards of the weights in the model's folder", came })
    }
    parts.push(yield* ModelFile.read(found))
  }
  return Buffer.concat(parts)
})

const { BOOL, FLOAT, FLOAT16, INT32, UINT16, UINT8 } = DataType

/** Types of stored weights as those of ONNX, which are stored alike. */
const kinds: ReadonlyMap<string, Tensors.Type> = new Map(
  Object.entries({ float32: FLOAT, int32: INT32, float16: FLOAT16, uint16: UINT16, uint8: UINT8, bool: BOOL }).map(
    ([name, type]) => [name, Tensors.types.get(type)!]
  )
)

/** The arrays of a group; quantised numbers q stand for scale · q + min. */
const arrays = Effect.fnUntraced(function* (
  file: string,
  { paths, weights }: (typeof Groups.Type)[number],
  bytes: Uint8Array
): Effect.fn.Return<ReadonlyArray<readonly [string, NdArray.NdArray]>, ModelInvalid> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found: Array<readonly [string, NdArray.NdArray]> = []
  let offset = 0
  for (const { dtype, name, quantization, shape } of weights) {
    const { min = 0, scale = 1 } = quantization ?? {}
    const kind = kinds.get(quantization?.dtype ?? dtype)
    if (kind === undefined) {
      const expected = `weights of the types ${[...kinds.keys()].join(", ")}`
      return yield* new ModelInvalid({ file, expected, came: `«${name}» is ${quantization?.dtype ?? dtype}` })
    }
    const count = NdArray.size(shape)
    if (!(offset + count * kind.size <= bytes.length)) {
      const expected = `${count} numbers of «${name}» [${shape}] in ${paths.join(", ")}`
      return yield* new ModelInvalid({ file, expected, came: `only ${bytes.length - offset} bytes are left` })
    }
    const data = new Float32Array(count)
    for (let i = 0; i < count; i++) data[i] = scale * kind.at(view, offset + i * kind.size) + min
    offset += count * kind.size
    found.push([name, { shape, data }])
  }
  if (offset === bytes.length) return found
  const expected = `${offset} bytes of weights in ${paths.join(", ")}, as the manifest says`
  return yield* new ModelInvalid({ file, expected, came: `${bytes.length} came` })
})
