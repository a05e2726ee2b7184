/**
 * Tensors that are a stretch of another's memory, so that reading them copies nothing.
 */
import { NdArray, type Tensor } from "@rai/core"
import * as Known from "./Known.ts"

/** A stretch: whose memory it is, and the element where it begins. */
export interface View {
  readonly base: Tensor.Tensor
  readonly offset: number
}

/** Whether what is cut out or put together along the axis lies in one stretch: no axis before it is longer than 1. */
export const isLeading = ({ shape }: Tensor.Tensor, axis: number): boolean => shape.slice(0, axis).every((n) => n === 1)

/** Follows reshapes, and slices of leading axes, to the tensor whose memory they read; shapes must be known. */
export const of = (node: Tensor.Tensor): View => {
  const [operand] = node.operands
  if (node.primitive.name === "reshape") return of(operand!)
  if (node.primitive.name !== "slice") return { base: node, offset: 0 }
  const { axis, start } = node.attributes as { readonly axis: number; readonly start: number }
  if (!isLeading(operand!, axis)) return { base: node, offset: 0 }
  const { base, offset } = of(operand!)
  return { base, offset: offset + start * NdArray.size(Known.shapeOf(operand!).slice(axis + 1)) }
}
