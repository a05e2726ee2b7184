/**
 * Models with something wrong: bytes that changed, and messages that say something else than they did. Seeded, so that each can be had again.
 */
import { fromBinary, toBinary } from "@bufbuild/protobuf"
import { Pseudorandom } from "@rai/core"
import { type ModelProto, ModelProtoSchema } from "../src/onnx_pb.ts"
import * as Operators from "../src/read/Operators.ts"

type Random = (below: number) => number

/** Numbers that programs trip over. */
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

/** One of many models, changed in one to three places. */
export const make = (models: ReadonlyArray<Uint8Array>, seed: number): Uint8Array => {
  const { uniform } = Pseudorandom.make(seed)
  const random: Random = (below) => Math.floor(uniform(0, Math.max(1, below)))
  const bytes = pick(models, random)!
  if (random(3) === 0) {
    return Array.from({ length: 1 + random(3) }, () => pick(ofBytes, random)!).reduce(
      (of, change) => change(of, random),
      bytes
    )
  }
  const model = fromBinary(ModelProtoSchema, bytes)
  for (let i = 0; i <= random(3); i++) pick(ofMessages, random)!(model, random)
  return toBinary(ModelProtoSchema, model)
}
