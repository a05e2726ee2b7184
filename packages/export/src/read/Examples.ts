/**
 * Whether each example is computed by itself, as a circuit's are: a network that takes them together answers to batches, not to examples.
 */
import type { Shape, Tensor } from "@rai/core"
import type { Read } from "./Network.ts"

/** The nodes where examples meet, each node alone, in order. */
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

/** The examples' axis is gone, is there twice, or stands where other numbers stood. */
const isMeeting = ({ operands, primitive, shape }: Tensor.Tensor): boolean => {
  const before = operands.filter((operand) => axisOf(operand.shape) >= 0)
  if (before.length === 0) return false
  const axis = axisOf(shape)
  if (axis < 0 || axisOf(shape.slice(axis + 1)) >= 0) return true
  return primitive.name === "reshape" && count(before[0]!.shape) !== count(shape)
}

const axisOf = (shape: Shape.Shape): number => shape.findIndex((n) => typeof n === "string")

/** How many times the examples stand behind each other. */
const count = (shape: Shape.Shape): number => shape.slice(0, axisOf(shape)).reduce<number>((n, m) => n * Number(m), 1)
