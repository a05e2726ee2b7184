/**
 * The one way to change a program: rebuild it node by node, operands first.
 */
import { Tensor } from "../tensor/Tensor.ts"
import * as Program from "./Program.ts"

/** The program with each node replaced by what `rule` makes of it and its already replaced operands. */
export const rewrite = (
  program: Program.Program,
  rule: (node: Tensor, operands: ReadonlyArray<Tensor>) => Tensor
): Program.Program => {
  const replaced = new Map<Tensor, Tensor>()
  for (const node of program.nodes) {
    replaced.set(
      node,
      rule(
        node,
        node.operands.map((operand) => replaced.get(operand)!)
      )
    )
  }
  return Program.fromTensors(
    program.inputs,
    Object.fromEntries(Object.entries(program.outputs).map(([name, node]) => [name, replaced.get(node)!]))
  )
}

/** The node over other operands; itself where they are its own. */
export const rebuild = (node: Tensor, operands: ReadonlyArray<Tensor>): Tensor =>
  operands.every((operand, i) => operand === node.operands[i])
    ? node
    : new Tensor(node.primitive, operands, node.attributes)

/** The program with every composite replaced by its definition, but those an engine has a kernel for. */
export const expand = (program: Program.Program, has: (composite: string) => boolean = () => false): Program.Program =>
  rewrite(program, (node, operands) => {
    const { definition, name } = node.primitive
    return definition === undefined || has(name) ? rebuild(node, operands) : definition(operands, node.attributes)
  })
