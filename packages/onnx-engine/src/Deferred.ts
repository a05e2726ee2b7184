/**
 * Elementwise work whose results are only put together for a pass is left to the pass: f(a) and f(b) put together are f of a and b put together. What
 * relaxed stages hand back to those before, δ Wᵀ ∘ σ′, is put together with what the output hands back; the graph then ends with the products.
 */
import { type Program, Rewrite, Simplify, Tensor } from "@rai/core"
import * as Kernel from "./Kernel.ts"
import * as Layout from "./Layout.ts"
import * as Partition from "./Partition.ts"
import * as Views from "./Views.ts"

/** The same program, with more of it in its passes. */
export const make = (program: Program.Program): Program.Program => {
  const passes = new Set(Partition.make(program).kernels.flatMap(({ nodes }) => nodes))
  const outputs = new Set(Object.values(program.outputs))
  const others = new Set(program.nodes.flatMap((node) => (passes.has(node) ? [] : node.operands)))
  const isDeferring = (node: Tensor.Tensor): boolean => Views.isJoined(node) && !outputs.has(node) && !others.has(node)
  if (!program.nodes.some(isDeferring)) return program
  return Simplify.simplify(
    Rewrite.rewrite(program, (node, operands) => {
      const together = isDeferring(node) ? joined(node, operands) : undefined
      return together ?? Rewrite.rebuild(node, operands)
    })
  )
}

/** What `node` puts together, of these parts; undefined where that would be a copy of what is given. */
const joined = (node: Tensor.Tensor, parts: ReadonlyArray<Tensor.Tensor>): Tensor.Tensor | undefined => {
  const number = alike(parts.map(Simplify.filledWith))
  if (number !== undefined) return Tensor.constant(number).broadcastTo(node.shape)
  const each = parts.map(elementwise)
  const first = each[0]
  if (first === undefined || alike(each.map((of) => of?.operation)) === undefined) {
    return parts.some((part) => Layout.isInput(Views.of(part).base)) ? undefined : Rewrite.rebuild(node, parts)
  }
  const operand = (i: number) => each.map((of) => of!.operands[i]!)
  const operands = first.operands.flatMap((_, i) => joined(node, operand(i)) ?? [])
  if (operands.length < first.operands.length) return undefined
  return new Tensor.Tensor(first.node.primitive, operands, first.node.attributes)
}

const alike = <A>(values: ReadonlyArray<A>): A | undefined =>
  values.every((value) => Object.is(value, values[0])) ? values[0] : undefined

interface Elementwise {
  readonly node: Tensor.Tensor
  /** What it does, to be compared. */
  readonly operation: string
  readonly operands: ReadonlyArray<Tensor.Tensor>
}

/** The node as an operation on numbers of its own shape that a pass can do; a stretch or another shape of such a node is one too. */
const elementwise = (node: Tensor.Tensor): Elementwise | undefined => {
  if (Views.isView(node)) {
    const within = elementwise(node.operands[0]!)
    return within && { ...within, operands: within.operands.map((operand) => viewed(operand, node)) }
  }
  const { operands, primitive } = node
  const fits = Kernel.knows(node) && node.dtype === "float" && operands.every(({ dtype }) => dtype === "float")
  if (!fits) return undefined
  return { node, operation: `${primitive.name} ${Simplify.written(node)}`, operands }
}

const viewed = (operand: Tensor.Tensor, view: Tensor.Tensor): Tensor.Tensor => {
  const number = Simplify.filledWith(operand)
  return number === undefined ? Rewrite.rebuild(view, [operand]) : Tensor.constant(number).broadcastTo(view.shape)
}
