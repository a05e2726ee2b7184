/**
 * Merges operations: where the results of several products or sums of the same shapes are concatenated, stacks their operands and computes one
 * product or sum instead. Backpropagation through a repeated block ends that way: ∂L/∂W of the block's stack is the concatenation of one aᵀ δ
 * per turn.
 */
import * as Shape from "../tensor/Shape.ts"
import { stack, type Tensor } from "../tensor/Tensor.ts"
import type * as Program from "./Program.ts"
import * as Rewrite from "./Rewrite.ts"
import * as Simplify from "./Simplify.ts"

/** The number of parts from which merging pays off. */
const fewestParts = 4

/** Every output keeps its values. */
export const batch = (program: Program.Program): Program.Program => {
  const users = new Map<Tensor, number>()
  for (const node of [...program.nodes.flatMap(({ operands }) => operands), ...Object.values(program.outputs)]) {
    users.set(node, (users.get(node) ?? 0) + 1)
  }
  /** The tensor that a part is a reshape of, if nothing else reads the part. */
  const source = (part: Tensor): Tensor | undefined => {
    if (users.get(part) !== 1) return undefined
    return part.primitive.name === "reshape" ? source(part.operands[0]!) : part
  }
  let isChanged = false
  const batched = Rewrite.rewrite(program, (node, operands) => {
    const plain = Rewrite.rebuild(node, operands)
    if (node.primitive.name !== "concat" || node.attributes.axis !== 0 || node.operands.length < fewestParts)
      return plain
    // A part that was itself a concatenation may have been merged by now, so look at the nodes as rewritten.
    const parts = operands.map(Simplify.unreshaped)
    if (
      !node.operands.every((part) => source(part) !== undefined) ||
      !parts.every((part) => isAlike(part, parts[0]!))
    ) {
      return plain
    }
    const one = joined(parts, node.shape)
    isChanged ||= one !== undefined
    return one ?? plain
  })
  return isChanged ? Simplify.simplify(batched) : program
}

/** Whether two nodes are the same operation on operands of the same shapes. */
const isAlike = (a: Tensor, b: Tensor): boolean =>
  a.primitive === b.primitive &&
  a.operands.length === b.operands.length &&
  JSON.stringify(a.attributes) === JSON.stringify(b.attributes) &&
  a.operands.every((operand, i) => Shape.equals(operand.shape, b.operands[i]!.shape))

/** The one operation on the stacked operands of all parts; undefined where it is neither a matrix product nor a sum. */
const joined = (parts: ReadonlyArray<Tensor>, shape: Shape.Shape): Tensor | undefined => {
  const [{ attributes, operands, primitive }] = parts as readonly [Tensor]
  const stacked = (operand: number): Tensor => stack(parts.map((part) => part.operands[operand]!))
  if (primitive.name === "matMul" && operands.every((operand) => operand.shape.length === 2)) {
    return stacked(0)
      .matMul(stacked(1), attributes as { transposeA: boolean; transposeB: boolean })
      .reshape(shape)
  }
  if (primitive.name === "sum") {
    return stacked(0)
      .sum((attributes.axes as ReadonlyArray<number>).map((axis) => axis + 1))
      .reshape(shape)
  }
  return undefined
}
