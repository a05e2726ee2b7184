/**
 * What a model has to compute: the operators of a program in order, without broadcasts that they do themselves.
 */
import { type Program, Shape, type Tensor } from "@rai/core"
import * as Operators from "./Operators.ts"

/** A node with the operands that its operator takes; `product` is the a b of y = a b + c where one operator computes all of it. */
export interface Step {
  readonly node: Tensor.Tensor
  readonly operands: ReadonlyArray<Tensor.Tensor>
  readonly product?: Tensor.Tensor | undefined
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
    const step = affine(node, users) ?? { node, operands: narrow(node) }
    for (const operand of step.operands) needed.add(operand)
    steps.push(step)
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

/** The factors; a right one that is the same matrix for all examples goes without its broadcast. */
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

/** y = a b + c for matrices, if nothing else needs the product. */
const affine = (node: Tensor.Tensor, users: ReadonlyMap<Tensor.Tensor, number>): Step | undefined => {
  if (node.primitive.name !== "add" || node.shape.length !== 2) return undefined
  const [left, right] = narrow(node)
  for (const [matrix, bias] of [
    [left!, right!],
    [right!, left!]
  ] as const) {
    const isAlone = matrix.primitive.name === "matMul" && users.get(matrix) === 1
    if (isAlone && Shape.equals(matrix.shape, node.shape)) {
      return { node, operands: [...matrix.operands, bias], product: matrix }
    }
  }
  return undefined
}
