/**
 * Corrupted models: changed bytes, and messages whose content was altered. Seeded, so that each can be reproduced.
 */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fromBinary, toBinary } from "@bufbuild/protobuf"
import { Pseudorandom } from "@rai/core"
import { type ModelProto, ModelProtoSchema } from "../src/onnx_pb.ts"
import * as Operators from "../src/read/Operators.ts"

type Random = (below: number) => number

/** Numbers that commonly break programs. */
const awkward = [0, 1, -1, 2, 7, 255, 65_536, 2 ** 20, 2 ** 31 - 1, -(2 ** 31), 2 ** 40, 2 ** 53, -(2 ** 62), 2 ** 62]

const pick = <A>(from: ReadonlyArray<A>, random: Random): A | undefined => from[random(from.length)]

type Bytes = (bytes: Uint8Array, random: Random) => Uint8Array

const ofBytes: ReadonlyArray<Bytes> = [
  (bytes, random) => bytes.slice(0, random(bytes.length)),
  (bytes, random) => {
    const changed = bytes.slice()
    for (let i = 0; i <= random(8); i++) changed[random(bytes.length)]! ^= 1 << random(8)
    return changed
  },
  (bytes, random) => {
    const changed = bytes.slice()
    for (let i = 0; i <= random(8); i++) changed[random(bytes.length)] = random(256)
    return changed
  },
  (bytes, random) => {
    const [start, length] = [random(bytes.length), random(40)]
    return Uint8Array.from([...bytes.subarray(0, start), ...bytes.subarray(start + length)])
  },
  (bytes, random) => {
    const [start, length, to] = [random(bytes.length), random(200), random(bytes.length)]
    const part = bytes.subarray(start, start + length)
    return Uint8Array.from([...bytes.subarray(0, to), ...part, ...bytes.subarray(to)])
  }
]

type Message = (model: ModelProto, random: Random) => void

const ofMessages: ReadonlyArray<Message> = [
  ({ graph }, random) => {
    const tensor = pick(graph!.initializer, random)
    if (tensor !== undefined) tensor.dims[random(tensor.dims.length + 1)] = BigInt(pick(awkward, random)!)
  },
  ({ graph }, random) => {
    const tensor = pick(graph!.initializer, random)
    if (tensor !== undefined) tensor.dataType = random(30)
  },
  ({ graph }, random) => {
    graph!.initializer.splice(random(graph!.initializer.length), 1)
  },
  ({ graph }, random) => {
    const node = pick(graph!.node, random)
    const other = pick(graph!.node, random)
    if (node !== undefined) node.input[random(node.input.length)] = pick(other!.output, random) ?? "nothing"
  },
  ({ graph }, random) => {
    const node = pick(graph!.node, random)
    const name = pick([...graph!.initializer.map((tensor) => tensor.name), graph!.input[0]!.name, ""], random)!
    if (node !== undefined) node.input[random(node.input.length + 1)] = name
  },
  ({ graph }, random) => {
    const node = pick(graph!.node, random)
    if (node !== undefined) node.opType = pick([...Operators.table.keys()], random)!
  },
  ({ graph }, random) => {
    const node = pick(graph!.node, random)
    if (node !== undefined) node.input.splice(random(node.input.length), 1)
  },
  ({ graph }, random) => {
    const node = pick(graph!.node, random)
    if (node !== undefined) node.output.push(pick(node.output, random) ?? "more")
  },
  ({ graph }, random) => {
    const attribute = pick(
      graph!.node.flatMap((node) => node.attribute),
      random
    )
    if (attribute === undefined) return
    const value = BigInt(pick(awkward, random)!)
    if (attribute.ints.length > 0) attribute.ints[random(attribute.ints.length + 1)] = value
    else attribute.i = value
  },
  ({ graph }, random) => {
    const attribute = pick(
      graph!.node.flatMap((node) => node.attribute),
      random
    )
    const other = pick(graph!.node, random)
    if (attribute !== undefined) other!.attribute.push(attribute)
  },
  ({ graph }, random) => {
    const value = pick([...graph!.input, ...graph!.output], random)
    const type = value?.type?.value
    const dimension = type?.case === "tensorType" ? pick(type.value.shape?.dim ?? [], random) : undefined
    if (dimension !== undefined) dimension.value = { case: "dimValue", value: BigInt(pick(awkward, random)!) }
  },
  ({ opsetImport }, random) => {
    for (const one of opsetImport) one.version = BigInt(pick([...awkward, 3, 9, 12, 18, 28, 29], random)!)
  },
  ({ graph }, random) => {
    const tensors = [
      ...graph!.initializer,
      ...graph!.node.flatMap(({ attribute }) => attribute.flatMap(({ t }) => (t === undefined ? [] : [t])))
    ]
    const tensor = pick(tensors, random)
    if (tensor === undefined || tensor.dataType !== 7) return
    const numbers = Array.from({ length: 1 + random(5) }, () => pick(awkward, random)!)
    tensor.dims = [BigInt(numbers.length)]
    tensor.rawData = new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer)
  }
]

const changed = (bytes: Uint8Array, random: Random): Uint8Array =>
  Array.from({ length: 1 + random(3) }, () => pick(ofBytes, random)!).reduce((of, change) => change(of, random), bytes)

const randomOf = (seed: number): Random => {
  const { uniform } = Pseudorandom.make(seed)
  return (below) => Math.floor(uniform(0, Math.max(1, below)))
}

/** Changes a model in one to three places. */
const mutated = (bytes: Uint8Array, random: Random): Uint8Array => {
  if (random(3) === 0) return changed(bytes, random)
  const model = fromBinary(ModelProtoSchema, bytes)
  for (let i = 0; i <= random(3); i++) pick(ofMessages, random)!(model, random)
  return toBinary(ModelProtoSchema, model)
}

/** Picks one of the models and changes it in one to three places. */
export const make = (models: ReadonlyArray<Uint8Array>, seed: number): Uint8Array => {
  const random = randomOf(seed)
  return mutated(pick(models, random)!, random)
}

/** A model with its parity record and, if its weights are in an external file, those. */
export interface Proved {
  readonly model: Uint8Array
  readonly record: string
  readonly data: Uint8Array | undefined
}

/** Reads a model's files from a folder. */
export const proved = (folder: string): Proved => {
  const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)))
  const data = existsSync(join(folder, "m.onnx.data")) ? read("m.onnx.data") : undefined
  return { model: read("m.onnx"), record: new TextDecoder().decode(read("m.parity.json")), data }
}

type Json = null | boolean | number | string | Array<Json> | { [key: string]: Json }

/** Values that commonly break programs, and names of built-in object properties. */
const values: ReadonlyArray<Json> = [
  ...awkward,
  null,
  true,
  "",
  "NaN",
  "Infinity",
  "one",
  1e308,
  5e-324,
  0.1,
  [],
  {},
  [[]],
  [[1, 2], [3]],
  Array.from({ length: 1000 }, () => [1, 2]),
  { ["__proto__"]: { freeRun: [[1]], onnxruntime: [[1]] } }
]

const names = [
  "constructor",
  "__proto__",
  "toString",
  "x",
  "logit",
  "label",
  "value",
  "",
  "weights",
  "external",
  "m.onnx.data"
]

/** Changes a JSON value at any depth. */
const ofJson = (json: Json, random: Random): Json => {
  if (typeof json !== "object" || json === null || random(6) === 0) return structuredClone(pick(values, random)!)
  if (Array.isArray(json)) {
    const at = random(json.length)
    switch (random(6)) {
      case 0:
        return json.toSpliced(at, 1)
      case 1:
        return json.toSpliced(at, 0, structuredClone(json[at] ?? null))
      default:
        return json.length === 0 ? [null] : json.with(at, ofJson(json[at]!, random))
    }
  }
  const entries = Object.entries(json)
  const at = random(entries.length)
  const [key, value] = entries[at] ?? ["x", null]
  switch (random(6)) {
    case 0:
      return Object.fromEntries(entries.toSpliced(at, 1))
    case 1:
      return Object.fromEntries([...entries, [pick(names, random)!, structuredClone(value)]])
    case 2:
      return Object.fromEntries(entries.toSpliced(at, 1, [pick(names, random)!, value]))
    default:
      return Object.fromEntries(entries.toSpliced(at, 1, [key, ofJson(value, random)]))
  }
}

/**
 * Picks a model with its record and mutates one or both. Usually the record then gets the hashes of the files beside it, as someone who tampers
 * with a model would do; otherwise only the hash would ever be tested.
 */
export const both = (of: ReadonlyArray<Proved>, seed: number, hash: (bytes: Uint8Array) => string): Proved => {
  const random = randomOf(seed)
  const { data, ...good } = pick(of, random)!
  const which = random(4)
  const model = which === 0 || which === 1 ? mutated(good.model, random) : good.model
  const beside = data !== undefined && which === 2 ? changed(data, random) : data
  if (which === 3 && random(3) === 0) {
    const record = new TextDecoder().decode(changed(new TextEncoder().encode(good.record), random))
    return { model, record, data: beside }
  }
  let record: Json = JSON.parse(good.record)
  if (which === 1 || which === 3) for (let i = 0; i <= random(3); i++) record = ofJson(record, random)
  if (random(8) > 0 && typeof record === "object" && record !== null && !Array.isArray(record)) {
    record = { ...record, sha256: hash(model), ...(beside && { external: { "m.onnx.data": hash(beside) } }) }
  }
  return { model, record: JSON.stringify(record), data: beside }
}
