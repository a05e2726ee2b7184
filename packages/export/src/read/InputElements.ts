/**
 * What a model says of the elements that its input has: their type, and the table that they choose from.
 */
import type { Elements } from "@rai/core"
import * as Model from "../Model.ts"
import type { GraphProto, ModelProto, NodeProto } from "../onnx_pb.ts"
import * as Operators from "./Operators.ts"
import * as Tensors from "./Tensors.ts"

/** The elements of a named input; undefined where they are of float32. */
export const of = ({ graph }: ModelProto, name: string): Elements.Elements | undefined => {
  const value = graph!.input.find((input) => input.name === name)?.type?.value
  const type = value?.case === "tensorType" ? value.value.elemType : Model.DataType.FLOAT
  if (type === Model.DataType.FLOAT) return undefined
  const rows = tables(graph!, name)
  return { type: Tensors.nameOf(type).toLowerCase(), ...(rows.length > 0 && { rows: Math.min(...rows) }) }
}

/** Operators that keep every element as it is; a cast does where the type holds them all. */
const passing = new Set(["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose"])

const { DOUBLE, FLOAT, INT32, INT64 } = Model.DataType

const lossless: ReadonlySet<number> = new Set([DOUBLE, FLOAT, INT32, INT64])

const isPassing = (node: NodeProto): boolean => {
  const operator = Operators.nameOf(node)
  return operator === "Cast" ? lossless.has(integer(node, "to")) : passing.has(operator)
}

/** Number of rows of each table that a value, however it is reshaped, chooses from. */
const tables = (graph: GraphProto, name: string): ReadonlyArray<number> => {
  const initialisers = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]))
  const same = new Set([name])
  const found: Array<number> = []
  // The format demands that nodes come in the order in which they can be computed; in another order, a table is missed.
  for (const node of graph.node) {
    if (isPassing(node) && same.has(node.input[0]!)) same.add(node.output[0]!)
    if (Operators.nameOf(node) !== "Gather" || !same.has(node.input[1]!)) continue
    const rows = initialisers.get(node.input[0]!)?.dims.at(integer(node, "axis"))
    if (rows !== undefined) found.push(Number(rows))
  }
  return found
}

const integer = ({ attribute }: NodeProto, name: string): number =>
  Number(attribute.find((own) => own.name === name)?.i ?? 0)
