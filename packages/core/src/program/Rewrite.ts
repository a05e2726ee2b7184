/**
 * The one way to transform a program: rebuild it node by node, operands first.
 */
import * as Shape from "../tensor/Shape.ts"
import { Tensor } from "../tensor/Tensor.ts"
import * as Program from "./Program.ts"

/** Replaces each node by what `rule` makes of it and its operands, which are already replaced. */
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

/** Rebuilds the node over other operands; returns the node itself if these are its own. */
export const rebuild = (node: Tensor, operands: ReadonlyArray<Tensor>): Tensor =>
  operands.every((operand, i) => operand === node.operands[i])
    ? node
    : new Tensor(node.primitive, operands, node.attributes)

/** Replaces every composite by its definition, except those that an engine has a kernel for. */
export const expand = (program: Program.Program, has: (composite: string) => boolean = () => false): Program.Program =>
  rewrite(program, (node, operands) => {
    const { definition, name } = node.primitive
    return definition === undefined || has(name) ? rebuild(node, operands) : definition(operands, node.attributes)
  })

/** Replaces all named dimensions by the given lengths. */
export const resolve = (program: Program.Program, lengths: ReadonlyMap<string, number>): Program.Program => {
  if (lengths.size === 0) return program
  const at = (key: string, { attributes }: Tensor) => ({
    ...attributes,
    [key]: Shape.resolve(attributes[key] as Shape.Shape, lengths)
  })
  const inputs = new Map(
    Object.values(program.inputs).map((node) => [node, new Tensor(node.primitive, [], at("shape", node))])
  )
  const resolved = rewrite(program, (node, operands) => {
    const { name } = node.primitive
    if (name === "input") return inputs.get(node) ?? node
    if (name === "reshape" || name === "broadcast") return new Tensor(node.primitive, operands, at("to", node))
    return rebuild(node, operands)
  })
  return {
    ...resolved,
    inputs: Object.fromEntries(Object.entries(program.inputs).map(([name, node]) => [name, inputs.get(node)!]))
  }
}
