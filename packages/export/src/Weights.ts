/**
 * Weights in half the bytes: float16 in the file, float32 in the computation.
 */
import { create } from "@bufbuild/protobuf"
import type { Engine } from "@rai/core"
import { Record } from "effect"
import * as Half from "./Half.ts"
import * as Model from "./Model.ts"
import { type GraphProto, GraphProtoSchema, type TensorProto, TensorProtoSchema } from "./onnx_pb.ts"

/** Formats that weights can be stored in. */
export const kinds = ["float32", "float16", "int8"] as const

/** See `kinds`. */
export type Kind = (typeof kinds)[number]

/** Smallest number that float16 holds at full precision, 2⁻¹⁴. */
const smallest = 2 ** -14

/**
 * Rounds parameters of two axes or more to float16; one with a number beyond its range, or with none that it holds at full precision, stays as it
 * is.
 */
export const rounded = (parameters: Engine.Arrays): Engine.Arrays =>
  Record.map(parameters, (array) => {
    if (array.shape.length < 2) return array
    const data = Float32Array.from(array.data, (x) => Half.rounded(x) ?? Number.NaN)
    const isTiny = data.every((x) => Math.abs(x) < smallest) && array.data.some((x) => x !== 0)
    return isTiny || data.some(Number.isNaN) ? array : { shape: array.shape, data }
  })

/** Stores the graph's weights in float16, with a cast to float32 for each: all of two axes or more that lose nothing by it. */
export const halved = (graph: GraphProto): GraphProto => {
  const taken = new Set([...graph.initializer, ...graph.input, ...graph.output].map(({ name }) => name))
  for (const node of graph.node) for (const name of node.output) taken.add(name)
  const casts: GraphProto["node"] = []
  const initializer = graph.initializer.map((tensor) => {
    const kept = `${tensor.name}.float16`
    const small = taken.has(kept) ? undefined : inFloat16(tensor, kept)
    if (small === undefined) return tensor
    casts.push(Model.node("Cast", tensor.name, [kept], tensor.name, { to: Model.DataType.FLOAT }))
    return small
  })
  return create(GraphProtoSchema, { ...graph, initializer, node: [...casts, ...graph.node] })
}

const inFloat16 = ({ dataType, dims, rawData }: TensorProto, name: string): TensorProto | undefined => {
  if (dataType !== Model.DataType.FLOAT || dims.length < 2) return undefined
  const numbers = new Float32Array(rawData.slice().buffer)
  if (!numbers.every((x) => Half.rounded(x) === x)) return undefined
  const bits = Uint16Array.from(numbers, Half.bits)
  return create(TensorProtoSchema, {
    name,
    dims,
    dataType: Model.DataType.FLOAT16,
    rawData: new Uint8Array(bits.buffer)
  })
}
