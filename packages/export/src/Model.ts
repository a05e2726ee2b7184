/**
 * ONNX models as data: the parts of the protobuf message that circuits need, written and read.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf"
import type { NdArray, Shape } from "@rai/core"
import { Effect, Schema } from "effect"
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema
} from "./onnx_pb.ts"

/** Operator set that models are written in by default. */
export const opset = 21

/** Operator sets that models can be written in, each with the format version that came with it (ONNX 1.12 … 1.19). */
const irVersions: Readonly<Record<number, number>> = { 17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11, 24: 12 }

/** Operator sets that models can be written in. */
export const opsets: ReadonlyArray<number> = Object.keys(irVersions).map(Number)

/** Most bytes that readers of protobuf messages accept; a larger model keeps its weights in a file beside it. */
export const most = 2 ** 31 - 1

/** Bytes that are not an ONNX model. */
export class NotAnOnnxModel extends Schema.TaggedError<NotAnOnnxModel>()("NotAnOnnxModel", {
  file: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.file}: expected an ONNX model, but ${this.reason}; export it again with \`rai export\``
  }
}

export { DataType }

/** The ONNX element type of each type that programs compute with. */
export const dataTypes = { float: DataType.FLOAT, bool: DataType.BOOL, int: DataType.INT64 } as const

/** An attribute of an operator: an integer, a list of integers, text, or a real number. */
export type Attribute = number | ReadonlyArray<number> | string | { readonly real: number }

/** Attributes of an operator by their names. */
export type Attributes = Readonly<Record<string, Attribute>>

const attribute = (name: string, value: Attribute): AttributeProto => {
  const of = (type: AttributeType, given: Partial<Pick<AttributeProto, "i" | "ints" | "f" | "s">>) =>
    create(AttributeProtoSchema, { name, type, ...given })
  if (typeof value === "number") return of(AttributeType.INT, { i: BigInt(value) })
  if (typeof value === "string") return of(AttributeType.STRING, { s: new TextEncoder().encode(value) })
  if ("real" in value) return of(AttributeType.FLOAT, { f: value.real })
  return of(AttributeType.INTS, { ints: value.map(BigInt) })
}

/** Makes a node: one operator applied to named values, with a note for its reader. */
export const node = (
  operator: string,
  name: string,
  inputs: ReadonlyArray<string>,
  output: string,
  attributes: Attributes = {},
  docString = ""
): NodeProto =>
  create(NodeProtoSchema, {
    docString,
    opType: operator,
    name,
    input: [...inputs],
    output: [output],
    attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value))
  })

const bytes = (data: Float32Array | BigInt64Array): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/** Makes a float32 tensor that belongs to the model. */
export const floats = (name: string, { data, shape }: NdArray.NdArray): TensorProto =>
  create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType: DataType.FLOAT,
    rawData: bytes(data instanceof Float32Array ? data : Float32Array.from(data))
  })

/** Makes an int64 tensor that belongs to the model: axes, lengths, starts and ends. */
export const integers = (name: string, values: ReadonlyArray<number>): TensorProto =>
  create(TensorProtoSchema, {
    name,
    dims: [BigInt(values.length)],
    dataType: DataType.INT64,
    rawData: bytes(BigInt64Array.from(values, BigInt))
  })

/** Makes a named input or output; named dimensions stay names. */
export const value = (name: string, shape: Shape.Shape, type: keyof typeof dataTypes): ValueInfoProto =>
  create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: "tensorType",
        value: {
          elemType: dataTypes[type],
          shape: {
            dim: shape.map((n) => ({
              value:
                typeof n === "number"
                  ? { case: "dimValue" as const, value: BigInt(n) }
                  : { case: "dimParam" as const, value: n }
            }))
          }
        }
      }
    }
  })

/** Makes a named output that is a sequence of arrays. */
export const sequence = (name: string): ValueInfoProto =>
  create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: "sequenceType",
        value: { elemType: { value: { case: "tensorType", value: { elemType: DataType.FLOAT } } } }
      }
    }
  })

/** Replaces maps from names to numbers, which scikit-learn's classifiers make for each example, by arrays of the numbers. */
export const withoutMaps = (model: ModelProto): ModelProto => {
  const isMap = ({ domain, opType }: NodeProto) => domain === "ai.onnx.ml" && opType === "ZipMap"
  const graph = model.graph!
  const maps = new Set(graph.node.filter(isMap).flatMap(({ output }) => output))
  if (maps.size === 0) return model
  const type = create(TypeProtoSchema, { value: { case: "tensorType", value: { elemType: DataType.FLOAT } } })
  return {
    ...model,
    graph: {
      ...graph,
      node: graph.node.map((of) => (isMap(of) ? node("Identity", of.name, of.input, of.output[0]!) : of)),
      output: graph.output.map((of) => (maps.has(of.name) ? { ...of, type } : of))
    }
  }
}

/** Returns the bytes of a model; the same for the same graph and metadata. */
export const encode = (
  graph: GraphProto,
  options: {
    readonly version: string
    readonly metadata: Readonly<Record<string, string>>
    /** One of `opsets`, for which the graph was written. */
    readonly opset?: number
  }
): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: BigInt(irVersions[options.opset ?? opset]!),
      opsetImport: [{ domain: "", version: BigInt(options.opset ?? opset) }],
      producerName: "rai",
      producerVersion: options.version,
      graph,
      metadataProps: Object.entries(options.metadata).map(([key, value]) => ({ key, value }))
    })
  )

/** Reads a model; `file` names it in the error. */
export const decode = (data: Uint8Array, file: string): Effect.Effect<ModelProto, NotAnOnnxModel> =>
  Effect.flatMap(
    Effect.try({
      try: () => fromBinary(ModelProtoSchema, data),
      catch: () => new NotAnOnnxModel({ file, reason: "its bytes are something else" })
    }),
    (model) =>
      model.graph === undefined || model.graph.output.length === 0
        ? Effect.fail(new NotAnOnnxModel({ file, reason: "it holds no graph with outputs" }))
        : Effect.succeed(model)
  )

/** Inputs that a run must supply, by name, with their shapes: a number, or a name for a length that the run decides. */
export const inputs = ({
  graph
}: ModelProto): ReadonlyArray<{ readonly name: string; readonly shape: Shape.Shape }> => {
  const own = new Set(graph?.initializer.map(({ name }) => name))
  return (graph?.input ?? [])
    .filter(({ name }) => !own.has(name))
    .map(({ name, type }) => {
      const dimensions = type?.value.case === "tensorType" ? type.value.value.shape?.dim : undefined
      const shape = (dimensions ?? []).map(({ value }, axis) =>
        value.case === "dimValue" ? Number(value.value) : value.value || `axis ${axis}`
      )
      return { name, shape }
    })
}

/** Version of the standard operator set that a model needs. */
export const opsetOf = ({ opsetImport }: ModelProto): number =>
  Number(opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx")?.version ?? 0)
