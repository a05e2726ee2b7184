/**
 * Tensor data that a model keeps in files beside it; a file outside the model's folder is never opened.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs"
import { toBinary } from "@bufbuild/protobuf"
import { Effect } from "effect"
import * as ModelFile from "../ModelFile.ts"
import {
  type AttributeProto,
  TensorProto_DataLocation as Location,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto
} from "../onnx_pb.ts"
import { ModelInvalid } from "./ModelInvalid.ts"
import { Refused } from "./Refused.ts"

/** Reads the `length` bytes of a tensor's external data; throws `Refused` where they are not there or must not be read. */
export const read = (tensor: TensorProto, file: string, length: number): Uint8Array =>
  opened(tensor, file, (of) => {
    if (of.stated !== undefined && of.stated !== length) {
      throw of.wrong(`are ${of.stated} bytes instead of ${length}`)
    }
    return bytesOf(of, length)
  })

const bytesOf = ({ descriptor, offset, wrong }: Opened, length: number): Uint8Array => {
  const bytes = attempt(() => {
    if (fstatSync(descriptor).size < offset + length) return undefined
    const own = new Uint8Array(length)
    for (let done = 0; done < length; ) {
      const more = readSync(descriptor, own, done, Math.min(length - done, 2 ** 30), offset + done)
      if (more === 0) return undefined
      done += more
    }
    return own
  })
  if (bytes === undefined) throw wrong(`are fewer than ${length} bytes from ${offset} on`)
  return bytes
}

/** Paths of the files that hold the model's external data, relative to its folder; fails with `ModelInvalid` unless all of them may be opened. */
export const files = (model: ModelProto, file: string): Effect.Effect<ReadonlyArray<string>, ModelInvalid> =>
  attempted(file, () => {
    for (const tensor of tensors(model)) opened(tensor, file, checked)
    return locations(model)
  })

const attempted = <A>(file: string, f: () => A): Effect.Effect<A, ModelInvalid> =>
  Effect.try({
    try: f,
    catch: (error) => {
      if (!(error instanceof Refused)) throw error
      return new ModelInvalid({ file, expected: "arrays that can be read", came: error.message })
    }
  })

/** Paths that the model's external tensors name, unchecked. */
export const locations = (model: ModelProto): ReadonlyArray<string> => [
  ...new Set(tensors(model).map((tensor) => entries(tensor).get("location") ?? ""))
]

/** Whether an external tensor belongs to an inner graph, a function or an attribute rather than to the graph's own initialisers. */
export const isWithin = (model: ModelProto): boolean => {
  const own = new Set(model.graph?.initializer)
  return tensors(model).some((tensor) => !own.has(tensor))
}

/** Bytes of the model with all external data embedded, up to the 2 GiB that a model may have; fails with `ModelInvalid` beyond. */
export const whole = (model: ModelProto, file: string): Effect.Effect<Uint8Array, ModelInvalid> =>
  attempted(file, () => {
    let size = 0
    for (const tensor of tensors(model)) {
      tensor.rawData = opened(tensor, file, (of) => {
        const length = of.stated ?? fstatSync(of.descriptor).size - of.offset
        if (length < 0) throw of.wrong(`begin at ${of.offset}, behind their file's end`)
        size += length
        if (size > largest) throw new Refused(`what lies in files is more than the ${largest} bytes of a model`, true)
        return bytesOf(of, length)
      })
      tensor.dataLocation = Location.DEFAULT
      tensor.externalData = []
    }
    return toBinary(ModelProtoSchema, model)
  })

/** Most bytes of data that fit a protobuf message, which is limited to 2 GiB. */
const largest = 2 ** 31 - 2 ** 20

const entries = ({ externalData }: TensorProto) => new Map(externalData.map(({ key, value }) => [key, value]))

/** Every external tensor, wherever the model holds it. */
const tensors = ({ functions, graph, trainingInfo }: ModelProto): ReadonlyArray<TensorProto> => {
  const found: Array<TensorProto | undefined> = []
  const ofAttribute = ({ g, graphs, sparseTensor, sparseTensors, t, tensors }: AttributeProto): void => {
    found.push(t, ...tensors)
    for (const sparse of [sparseTensor, ...sparseTensors]) found.push(sparse?.values, sparse?.indices)
    for (const inner of [g, ...graphs]) ofGraph(inner)
  }
  const ofNodes = (nodes: ReadonlyArray<NodeProto>): void => {
    for (const { attribute } of nodes) for (const one of attribute) ofAttribute(one)
  }
  const ofGraph = (of: ModelProto["graph"]): void => {
    for (const tensor of of?.initializer ?? []) found.push(tensor)
    for (const { indices, values } of of?.sparseInitializer ?? []) found.push(values, indices)
    ofNodes(of?.node ?? [])
  }
  for (const inner of [graph, ...trainingInfo.flatMap((of) => [of.initialization, of.algorithm])]) ofGraph(inner)
  for (const { attributeProto, node } of functions) {
    ofNodes(node)
    for (const one of attributeProto) ofAttribute(one)
  }
  return found.filter((tensor) => tensor?.dataLocation === Location.EXTERNAL) as ReadonlyArray<TensorProto>
}

/** An open file, and where in it the model says that the tensor lies. */
interface Opened {
  readonly descriptor: number
  readonly offset: number
  readonly stated: number | undefined
  readonly wrong: (what: string) => Refused
}

/**
 * Opens a tensor's file. Symbolic links are followed and must end in the model's folder too; hard links are refused, as the file may belong to
 * another folder.
 */
const opened = <A>(tensor: TensorProto, file: string, use: (of: Opened) => A): A => {
  const said = entries(tensor)
  const location = said.get("location") ?? ""
  const wrong = (what: string) => new Refused(`the data of «${tensor.name}» in «${location}» ${what}`, true)
  const whole = (key: string, what: string): number | undefined => {
    const text = said.get(key)
    const number = Number(text)
    if (text !== undefined && !(/^\d+$/.test(text) && Number.isSafeInteger(number))) throw wrong(`${what} ${text}`)
    return text === undefined ? undefined : number
  }
  const [offset = 0, stated] = [whole("offset", "begin at"), whole("length", "have the length")]
  const path = ModelFile.beside(file, location)
  if (path === "outside") throw wrong("lie outside the model's folder")
  if (path === undefined) throw wrong("cannot be read")
  // Without O_NONBLOCK, opening a pipe would wait for its writer.
  const descriptor = attempt(() => openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)))
  if (descriptor === undefined) throw wrong("cannot be read")
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) throw wrong("are in no file")
    if (stats.nlink > 1) throw wrong("are in a file that has another name too, a hard link, maybe outside the folder")
    return use({ descriptor, offset, stated, wrong })
  } finally {
    closeSync(descriptor)
  }
}

const checked = ({ descriptor, offset, stated = 0, wrong }: Opened): void => {
  if (fstatSync(descriptor).size < offset + stated) throw wrong(`are fewer than ${stated} bytes from ${offset} on`)
}

const attempt = <A>(f: () => A): A | undefined => {
  try {
    return f()
  } catch {
    return undefined
  }
}
