/**
 * Integer products: weights in eight bits, activations quantised to eight bits as the model runs.
 */
import { create } from "@bufbuild/protobuf"
import * as Model from "./Model.ts"
import { type GraphProto, GraphProtoSchema, type NodeProto, type TensorProto, TensorProtoSchema } from "./onnx_pb.ts"

/** Zero point among the 256 values; weights are unsigned, as products of signed with unsigned bytes overflow on older processors. */
const zero = 128

/**
 * The graph with x W, for each matrix W in it, as s_x s_W (q_x − z_x)(q_W − 128), by DynamicQuantizeLinear and MatMulInteger. s_W is per column; s_x
 * and z_x are for all of x in a run, so an example far out, or one that is not finite, costs the others in its batch their precision.
 */
export const quantised = (graph: GraphProto): GraphProto => {
  const weights = new Map(graph.initializer.filter(isMatrix).map((tensor) => [tensor.name, tensor]))
  const made = new Map<string, ReadonlyArray<TensorProto>>()
  const node = graph.node.flatMap((product) => {
    const weight = weights.get(product.input[1] ?? "")
    if (weight === undefined || !isProduct(product)) return [product]
    const [bytes, scale] = inBytes(weight, isTransposed(product))
    made.set(bytes.name, [bytes, scale])
    return inWholeNumbers(product, bytes.name, scale.name)
  })
  const used = new Set(node.flatMap(({ input }) => input))
  const others = graph.initializer.filter(({ name }) => used.has(name))
  const point = create(TensorProtoSchema, {
    name: "zero.int8",
    dataType: Model.DataType.UINT8,
    rawData: Uint8Array.of(zero)
  })
  const own = made.size === 0 ? [] : [...[...made.values()].flat(), point]
  return create(GraphProtoSchema, { ...graph, initializer: [...others, ...own], node })
}

const isMatrix = ({ dataType, dims }: TensorProto): boolean => dataType === Model.DataType.FLOAT && dims.length === 2

const isProduct = ({ attribute, opType }: NodeProto): boolean =>
  (opType === "MatMul" || opType === "Gemm") && attribute.every(({ i, name }) => i === 0n || name === "transB")

const isTransposed = ({ attribute }: NodeProto): boolean =>
  attribute.some(({ i, name }) => name === "transB" && i === 1n)

/** q = round(w / s) + 128 with s = max |w| / 127 of each column, and s itself; of Wᵀ where the product takes that. */
const inBytes = (weight: TensorProto, transposed: boolean): readonly [TensorProto, TensorProto] => {
  const [rows, columns] = (transposed ? weight.dims.toReversed() : weight.dims).map(Number) as [number, number]
  const given = new Float32Array(weight.rawData.slice().buffer)
  const numbers = transposed ? given.map((_, i) => given[(i % columns) * rows + Math.floor(i / columns)]!) : given
  const name = transposed ? `${weight.name}.transpose` : weight.name
  const scales = new Float32Array(columns)
  for (const [i, w] of numbers.entries()) scales[i % columns] = Math.max(scales[i % columns]!, Math.abs(w) / 127)
  const scaleOf = (i: number) => scales[i % columns]! || 1
  return [
    create(TensorProtoSchema, {
      name: `${name}.int8`,
      dims: [rows, columns].map(BigInt),
      dataType: Model.DataType.UINT8,
      rawData: Uint8Array.from(numbers, (w, i) => Math.round(w / scaleOf(i)) + zero)
    }),
    Model.floats(`${name}.scale`, { shape: [columns], data: scales })
  ]
}

/** The operator of whole numbers that stands for each product. */
export const product = "MatMulInteger"

const inWholeNumbers = (
  { docString, input, name, output }: NodeProto,
  weight: string,
  scale: string
): ReadonlyArray<NodeProto> => {
  const [x, , bias] = input
  const of = (part: string) => `${name}.${part}`
  const step = (operator: string, part: string, inputs: ReadonlyArray<string>, to = of(part), attributes = {}) =>
    Model.node(operator, of(part), inputs, to, attributes, docString)
  const quantize = step("DynamicQuantizeLinear", "quantized", [x!])
  quantize.output.push(of("scale"), of("zero"))
  return [
    quantize,
    step(product, "whole", [of("quantized"), weight, of("zero"), "zero.int8"]),
    step("Cast", "real", [of("whole")], of("real"), { to: Model.DataType.FLOAT }),
    step("Mul", "scales", [of("scale"), scale]),
    step("Mul", "product", [of("real"), of("scales")], bias === undefined ? output[0] : of("product")),
    ...(bias === undefined ? [] : [step("Add", "sum", [of("product"), bias], output[0])])
  ]
}
