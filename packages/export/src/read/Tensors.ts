/**
 * Decodes the tensors of a model, whose numbers lie within it or in a file beside it, and nowhere else.
 */
import { NdArray } from "@rai/core"
import * as Half from "../Half.ts"
import { DataType } from "../Model.ts"
import { TensorProto_DataLocation as Location, type TensorProto } from "../onnx_pb.ts"
import * as External from "./External.ts"
import { Refused } from "./Refused.ts"
import type * as Value from "./Value.ts"

/** An array with the kind of its elements. */
export interface Decoded {
  readonly array: NdArray.NdArray
  readonly kind: Value.Kind
}

/** A type of elements. */
export interface Type {
  readonly kind: Value.Kind
  /** Bytes of one element. */
  readonly size: number
  readonly at: (view: DataView, offset: number) => number
}

const brain = (bits: number): number => {
  const view = new DataView(new ArrayBuffer(4))
  view.setUint32(0, bits * 65536)
  return view.getFloat32(0)
}

/** The types of elements that can be decoded, by their numbers. */
export const types: ReadonlyMap<number, Type> = new Map<number, Type>([
  [DataType.FLOAT, { kind: "float", size: 4, at: (view, i) => view.getFloat32(i, true) }],
  [DataType.DOUBLE, { kind: "float", size: 8, at: (view, i) => view.getFloat64(i, true) }],
  [DataType.FLOAT16, { kind: "float", size: 2, at: (view, i) => Half.number(view.getUint16(i, true)) }],
  [DataType.BFLOAT16, { kind: "float", size: 2, at: (view, i) => brain(view.getUint16(i, true)) }],
  [DataType.INT8, { kind: "int", size: 1, at: (view, i) => view.getInt8(i) }],
  [DataType.UINT8, { kind: "int", size: 1, at: (view, i) => view.getUint8(i) }],
  [DataType.INT16, { kind: "int", size: 2, at: (view, i) => view.getInt16(i, true) }],
  [DataType.UINT16, { kind: "int", size: 2, at: (view, i) => view.getUint16(i, true) }],
  [DataType.INT32, { kind: "int", size: 4, at: (view, i) => view.getInt32(i, true) }],
  [DataType.UINT32, { kind: "int", size: 4, at: (view, i) => view.getUint32(i, true) }],
  [DataType.INT64, { kind: "int", size: 8, at: (view, i) => Number(view.getBigInt64(i, true)) }],
  [DataType.UINT64, { kind: "int", size: 8, at: (view, i) => Number(view.getBigUint64(i, true)) }],
  [DataType.BOOL, { kind: "bool", size: 1, at: (view, i) => Number(view.getUint8(i) !== 0) }]
])

/** Name of an element type, such as `FLOAT16`, from its number. */
export const nameOf = (type: number): string =>
  Object.entries(DataType).find(([, number]) => number === type)?.[0] ?? String(type)

/** Decodes a tensor; `file` is the model's, beside which external data lies. Throws `Refused`. */
export const decode = (tensor: TensorProto, file: string): Decoded => {
  const type = types.get(tensor.dataType)
  if (type === undefined) {
    throw new Refused(`the tensor «${tensor.name}» is of the type ${nameOf(tensor.dataType)}`)
  }
  const shape = tensor.dims.map(Number)
  const count = NdArray.size(shape)
  if (shape.some((n) => n < 0) || !Number.isSafeInteger(count)) {
    throw new Refused(`the tensor «${tensor.name}» has the shape [${shape}]`, true)
  }
  const listed = list(tensor, type)
  if (tensor.dataLocation !== Location.EXTERNAL && tensor.rawData.length === 0) {
    if (listed.length !== count) throw short(tensor, count, listed.length)
    return { kind: type.kind, array: { shape, data: array(type, listed) } }
  }
  const isExternal = tensor.dataLocation === Location.EXTERNAL
  const bytes = isExternal ? External.read(tensor, file, count * type.size) : tensor.rawData
  if (bytes.length !== count * type.size) throw short(tensor, count, bytes.length / type.size)
  if (isExternal && tensor.dataType === DataType.FLOAT) {
    // Read for this tensor alone, so no copy is needed.
    return { kind: type.kind, array: { shape, data: new Float32Array(bytes.buffer) } }
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const data = tensor.dataType === DataType.FLOAT ? new Float32Array(count) : new Float64Array(count)
  for (let i = 0; i < count; i++) data[i] = type.at(view, i * type.size)
  return { kind: type.kind, array: { shape, data } }
}

const array = (type: Type, numbers: ReadonlyArray<number>) =>
  type.kind === "float" && type.size === 4 ? Float32Array.from(numbers) : Float64Array.from(numbers)

/** Numbers of a tensor that is stored in typed fields rather than as raw bytes. */
const list = (tensor: TensorProto, type: Type): ReadonlyArray<number> => {
  switch (tensor.dataType) {
    case DataType.FLOAT:
      return tensor.floatData
    case DataType.DOUBLE:
      return tensor.doubleData
    case DataType.INT64:
      return tensor.int64Data.map(Number)
    case DataType.UINT64:
    case DataType.UINT32:
      return tensor.uint64Data.map(Number)
    case DataType.FLOAT16:
      return tensor.int32Data.map(Half.number)
    case DataType.BFLOAT16:
      return tensor.int32Data.map(brain)
    default:
      return type.kind === "bool" ? tensor.int32Data.map((n) => Number(n !== 0)) : tensor.int32Data
  }
}

const short = ({ dims, name }: TensorProto, expected: number, came: number): Refused =>
  new Refused(`the tensor «${name}» [${dims}] holds ${came} numbers instead of ${expected}`, true)
