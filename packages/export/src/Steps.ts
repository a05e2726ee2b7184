/**
 * What a model has to compute: the operators of a program in order, once broadcasts that they do by themselves are left out.
 */
import { type Program, Shape, type Tensor } from "@rai/core"
import * as Operators from "./Operators.ts"

/** A node with the operands that its operator takes; `affine` where y = a b + c is one operator. */
export interface Step {
  readonly node: Tensor.Tensor
  readonly operands: ReadonlyArray<Tensor.Tensor>
  readonly affine: boolean
}

/** The steps that lead from inputs and `known` values to the outputs, operands first. */
export const make = (program: Program.Program, known: ReadonlyMap<Tensor.Tensor, unknown>): ReadonlyArray<Step> => {
  const users = new Map<Tensor.Tensor, number>()
  const counted = [...program.nodes.flatMap((node) => narrow(node)), ...Object.values(program.outputs)]
  for (const tensor of counted) users.set(tensor, (users.get(tensor) ?? 0) + 1)
  const needed = new Set<Tensor.Tensor>(Object.values(program.outputs))
  const steps: Array<Step> = []
  for (const node of program.nodes.toReversed()) {
    if (!needed.has(node) || known.has(node) || node.primitive.name === "input") continue
    const affine = product(node, users)
    const operands = affine ?? narrow(node)
    for (const operand of operands) needed.add(operand)
    steps.push({ node, operands, affine: affine !== undefined })
  }
  return steps.reverse()
}

/** The operands, without the broadcasts that the operator does by itself. */
const narrow = (node: Tensor.Tensor): ReadonlyArray<Tensor.Tensor> => {
  if (node.primitive.name === "matMul") return factors(node)
  if (!Operators.broadcasting.has(node.primitive.name)) return node.operands
  const operands = node.operands.map(unbroadcast)
  const shape = operands.reduce<Shape.Shape>((all, { shape }) => Shape.broadcast(all, shape) ?? [], [])
  return Shape.equals(shape, node.shape) ? operands : node.operands
}

/** A right factor that is one matrix for all examples stands for itself. */
const factors = ({ attributes, operands, shape }: Tensor.Tensor): ReadonlyArray<Tensor.Tensor> => {
  const [left, right] = operands as readonly [Tensor.Tensor, Tensor.Tensor]
  const one = unbroadcast(right)
  const isOne =
    shape.length > 2 && !attributes.transposeA && !attributes.transposeB && one.shape.length === shape.length
  const isMatrix =
    Shape.equals(one.shape.slice(-2), right.shape.slice(-2)) && one.shape.slice(0, -2).every((n) => n === 1)
  return isOne && isMatrix ? [left, one] : operands
}

const unbroadcast = (tensor: Tensor.Tensor): Tensor.Tensor =>
  tensor.primitive.name === "broadcast" ? unbroadcast(tensor.operands[0]!) : tensor

/** The factors and the bias of y = a b + c for matrices, if nothing else needs the product. */
const product = (
  node: Tensor.Tensor,
  users: ReadonlyMap<Tensor.Tensor, number>
): ReadonlyArray<Tensor.Tensor> | undefined => {
  if (node.primitive.name !== "add" || node.shape.length !== 2) return undefined
  const [left, right] = narrow(node)
  for (const [matrix, bias] of [
    [left!, right!],
    [right!, left!]
  ] as const) {
    const { attributes, operands, primitive } = matrix
    const plain = primitive.name === "matMul" && !attributes.transposeA && !attributes.transposeB
    if (plain && Shape.equals(matrix.shape, node.shape) && users.get(matrix) === 1) return [...operands, bias]
  }
  return undefined
}
