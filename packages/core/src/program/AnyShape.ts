/**
 * Formulas that are the same for arrays of any shape, one number like the other: they name no axis, and their operations do not depend on lengths.
 */
import * as Movement from "../tensor/primitives/Movement.ts"
import * as Reduction from "../tensor/primitives/Reduction.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import { order } from "./Program.ts"
import { written } from "./Simplify.ts"

/** Primitives that name axes or whole shapes; a broadcast aligns at the last axis, whatever is in front of it. */
const naming = new Set([...Object.values(Reduction), ...Object.values(Movement)])
naming.delete(Movement.broadcast)

/** Whether a formula names axes or whole shapes, and so would mean others in an array of another shape. */
export const namesAxes = (formula: Tensor): boolean => order([formula]).some(({ primitive }) => naming.has(primitive))

/** Whether two formulas, of inputs of the same names, have the same operations, broadcasts aside, which depend on shapes. */
export const isSame = (one: Tensor, other: Tensor): boolean => {
  const [lines, others] = [unbroadcast(one), unbroadcast(other)]
  return lines.length === others.length && lines.every((line, i) => line === others[i])
}

/** A formula without its broadcasts: for each node its operation and the positions of its operands. */
const unbroadcast = (root: Tensor): ReadonlyArray<string> => {
  const of = (node: Tensor): Tensor => (node.primitive === Movement.broadcast ? of(node.operands[0]!) : node)
  const nodes = order([root]).filter((node) => of(node) === node)
  const places = new Map(nodes.map((node, i) => [node, i]))
  return nodes.map((node) => {
    const { attributes, operands, primitive } = node
    const said = primitive.name === "input" ? attributes.name : written(node)
    return [primitive.name, ...operands.map((operand) => places.get(of(operand))), said].join()
  })
}
