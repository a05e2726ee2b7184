/**
 * Programs as text, one line per value.
 */
import * as Shape from "../tensor/Shape.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import type { Program } from "./Program.ts"

/** Prints each value in order, `%3: [batch,2] = matMul z w`, then the outputs. Equal programs print the same text. */
export const print = (program: Program): string => {
  const names = new Map<Tensor, string>(Object.entries(program.inputs).map(([name, node]) => [node, name]))
  const name = (node: Tensor): string => {
    const known = names.get(node) ?? `%${names.size}`
    names.set(node, known)
    return known
  }
  const type = (node: Tensor) => `${Shape.show(node.shape)}${node.dtype === "float" ? "" : ` ${node.dtype}`}`
  const settings = (node: Tensor) =>
    Object.entries(node.attributes)
      .filter(([, value]) => value !== false)
      .map(([key, value]) => `${key}=${Array.isArray(value) ? Shape.show(value) : value}`)
  const lines = program.nodes.map((node) => {
    if (node.primitive.name === "input") return `${name(node)}: ${type(node)}`
    if (node.primitive.name === "constant") return `${name(node)}: ${type(node)} = ${node.attributes.value}`
    const operands = node.operands.map(name)
    return `${name(node)}: ${type(node)} = ${[node.primitive.name, ...operands, ...settings(node)].join(" ")}`
  })
  return [...lines, ...Object.entries(program.outputs).map(([key, node]) => `→ ${key} = ${name(node)}`)].join("\n")
}
