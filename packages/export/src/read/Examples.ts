/**
 * Finds the nodes that mix examples: a circuit computes each example by itself, and a network that mixes them answers batches, not examples.
 */
import { NdArray, type Shape, type Tensor } from "@rai/core"
import type { Read } from "./Network.ts"

/** Nodes that mix examples, in order, each judged without the nodes before it. */
export const meeting = (nodes: ReadonlyArray<Read>): ReadonlyArray<Read> => {
  const seen = new Set<Tensor.Tensor>()
  return nodes.filter(({ result }) => {
    let found = false
    const pending = [result]
    for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
      if (seen.has(tensor)) continue
      seen.add(tensor)
      found ||= isMeeting(tensor)
      pending.push(...tensor.operands)
    }
    return found
  })
}

/** Whether the batch axis disappears, appears twice or is reshaped to where other numbers were. */
const isMeeting = ({ operands, primitive, shape }: Tensor.Tensor): boolean => {
  const before = operands.filter((operand) => axisOf(operand.shape) >= 0)
  if (before.length === 0) return false
  const axis = axisOf(shape)
  if (axis < 0 || axisOf(shape.slice(axis + 1)) >= 0) return true
  return primitive.name === "reshape" && count(before[0]!.shape) !== count(shape)
}

const axisOf = (shape: Shape.Shape): number => shape.findIndex((n) => typeof n === "string")

/** Product of the lengths before the batch axis. */
const count = (shape: Shape.Shape): number => NdArray.size(shape.slice(0, axisOf(shape)).map(Number))
