/**
 * Tensors that are a contiguous part of another's memory, so that reading them copies nothing.
 */
import { NdArray, type Tensor } from "@rai/core"
import * as Known from "./Known.ts"

/** A view: the tensor whose memory it is, and the element where it begins. */
export interface View {
  readonly base: Tensor.Tensor
  readonly offset: number
}

/** Whether the tensor is an input. */
export const isInput = ({ primitive }: Tensor.Tensor): boolean => primitive.name === "input"

/** Returns an input's name. */
export const nameOf = ({ attributes }: Tensor.Tensor): string => attributes.name as string

/** Whether a slice or a concatenation along the axis is contiguous: no axis before it is longer than 1. */
export const isLeading = ({ shape }: Tensor.Tensor, axis: number): boolean => shape.slice(0, axis).every((n) => n === 1)

/** Whether a node is a view of its operand: a reshape, or a slice of a leading axis. */
export const isView = ({ attributes, operands, primitive }: Tensor.Tensor): boolean =>
  primitive.name === "reshape" || (primitive.name === "slice" && isLeading(operands[0]!, attributes.axis as number))

/** Whether a node concatenates parts that are consecutive in its memory. */
export const isJoined = (node: Tensor.Tensor): boolean =>
  node.primitive.name === "concat" && isLeading(node, node.attributes.axis as number)

/** Follows reshapes, and slices of leading axes, to the tensor whose memory they read; shapes must be known. */
export const of = (node: Tensor.Tensor): View => {
  if (!isView(node)) return { base: node, offset: 0 }
  const [operand] = node.operands
  if (node.primitive.name === "reshape") return of(operand!)
  const { axis, start } = node.attributes as { readonly axis: number; readonly start: number }
  const { base, offset } = of(operand!)
  return { base, offset: offset + start * NdArray.size(Known.shapeOf(operand!).slice(axis + 1)) }
}
