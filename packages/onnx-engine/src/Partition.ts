/**
 * A program in two parts: a graph, and elementwise passes over its results.
 */
import { type Program, Simplify, type Tensor } from "@rai/core"
import * as Kernel from "./Kernel.ts"
import * as Known from "./Known.ts"
import * as Views from "./Views.ts"

/** The passes; the graph computes whatever else their operands and the program's outputs need. */
export interface Partition {
  readonly kernels: ReadonlyArray<Kernel.Kernel>
  /** Tensors that the graph must compute, or that are inputs: operands of passes, and outputs that no pass computes. */
  readonly needed: ReadonlyArray<Tensor.Tensor>
}

/** A WebAssembly function has room for this many values, and anything larger is no optimiser's rule. */
const mostNodes = 10_000

/** The scalar that an operand broadcasts, as the node that computes it; undefined for arrays and constants. */
const numberOf = (node: Tensor.Tensor): Tensor.Tensor | undefined => {
  const passes = node.primitive.name === "broadcast" && Known.sizeOf(node.operands[0]!) === 1
  return passes ? node.operands[0] : undefined
}

/** Splits a program: passes take every elementwise node that is used only by passes or as an output. Passes that read the same array are merged. */
export const make = (program: Program.Program): Partition => {
  const outputs = new Set(Object.values(program.outputs))
  const users = new Map<Tensor.Tensor, Array<Tensor.Tensor>>(program.nodes.map((node) => [node, []]))
  for (const node of program.nodes) for (const operand of node.operands) users.get(operand)!.push(node)
  const passedOn = views(program.nodes, users, outputs)
  const mayPass = chosen(program.nodes, users, outputs, passedOn)
  const passes = components(program.nodes.filter((node) => mayPass.has(node))).filter(
    ({ length }) => length <= mostNodes
  )
  const inPass = new Set(passes.flat())

  const isGiven = (node: Tensor.Tensor) => !inPass.has(node) && Simplify.filledWith(node) === undefined
  const kernels = passes.map((nodes): Kernel.Kernel => {
    const operands = [...new Set(nodes.flatMap((node) => node.operands))].filter(isGiven)
    const numbers = operands.flatMap((node) => numberOf(node) ?? [])
    return {
      size: Known.sizeOf(nodes[0]!),
      nodes,
      arrays: operands.filter((node) => numberOf(node) === undefined),
      numbers: [...new Set(numbers)],
      results: nodes.filter((node) => outputs.has(node) || users.get(node)!.some((user) => passedOn.has(user)))
    }
  })

  const read = kernels.flatMap(({ arrays, numbers }) => [...arrays, ...numbers])
  return { kernels, needed: [...new Set([...read, ...[...outputs].filter((node) => !inPass.has(node))])] }
}

type Users = ReadonlyMap<Tensor.Tensor, ReadonlyArray<Tensor.Tensor>>

/** Nodes that are views of another's memory and are only read as outputs. */
const views = (
  nodes: ReadonlyArray<Tensor.Tensor>,
  users: Users,
  outputs: ReadonlySet<Tensor.Tensor>
): ReadonlySet<Tensor.Tensor> => {
  const found = new Set<Tensor.Tensor>()
  for (const node of nodes.toReversed()) {
    const by = users.get(node)!
    const isRead = outputs.has(node) || by.length > 0
    if (isRead && by.every((user) => found.has(user)) && Views.of(node).base !== node) found.add(node)
  }
  return found
}

const chosen = (
  nodes: ReadonlyArray<Tensor.Tensor>,
  users: Users,
  outputs: ReadonlySet<Tensor.Tensor>,
  passedOn: ReadonlySet<Tensor.Tensor>
): ReadonlySet<Tensor.Tensor> => {
  const found = new Set<Tensor.Tensor>()
  const banned = new Set<Tensor.Tensor>()
  for (;;) {
    found.clear()
    for (const node of nodes.toReversed()) {
      // A scalar stays in the graph, where others may read it.
      const fits =
        Kernel.knows(node) &&
        Known.sizeOf(node) > 1 &&
        !banned.has(node) &&
        (node.dtype === "float" || !outputs.has(node))
      if (fits && users.get(node)!.every((user) => found.has(user) || passedOn.has(user))) found.add(node)
    }
    // Masks exist only within a pass.
    const broken = [...found].filter((node) =>
      node.operands.some((operand) => operand.dtype !== "float" && !found.has(operand))
    )
    if (broken.length === 0) return found
    for (const node of broken) banned.add(node)
  }
}

/** Groups nodes into passes: those that are connected or read the same array. */
const components = (nodes: ReadonlyArray<Tensor.Tensor>): ReadonlyArray<ReadonlyArray<Tensor.Tensor>> => {
  const joined = new Map<Tensor.Tensor, Tensor.Tensor>()
  const find = (node: Tensor.Tensor): Tensor.Tensor => {
    let root = node
    while (joined.has(root) && joined.get(root) !== root) root = joined.get(root)!
    for (let on = node; on !== root; ) {
      const next = joined.get(on)!
      joined.set(on, root)
      on = next
    }
    return root
  }
  for (const node of nodes) {
    for (const operand of node.operands) {
      const isArray = Simplify.filledWith(operand) === undefined && numberOf(operand) === undefined
      if (isArray && find(operand) !== find(node)) joined.set(find(operand), find(node))
    }
  }
  return [...Map.groupBy(nodes, find).values()]
}
