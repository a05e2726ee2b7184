/**
 * The cost of a program, computed before it runs.
 */
import * as NdArray from "../tensor/NdArray.ts"
import * as Shape from "../tensor/Shape.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import type { Program } from "./Program.ts"
import * as Rewrite from "./Rewrite.ts"
import { simplify } from "./Simplify.ts"

/** Floating-point operations, and bytes moved if every operation reads its operands and writes its result once, in float32. */
export interface Cost {
  readonly flops: number
  readonly bytes: number
}

const free = new Set(["input", "constant", "reshape", "broadcast"])

/** Floating-point operations of one node; `lengths` gives the named dimensions. */
export const flops = (
  { operands, primitive, shape }: Tensor,
  lengths: ReadonlyMap<string, number> = new Map()
): number => {
  const result = Shape.resolve(shape, lengths)
  if (typeof primitive.cost === "number") return primitive.cost * NdArray.size(result)
  return primitive.cost(
    operands.map((operand) => Shape.resolve(operand.shape, lengths)),
    result
  )
}

/** Folds the cost of each primitive over the program; `lengths` gives the named dimensions. */
export const cost = (program: Program, lengths: ReadonlyMap<string, number> = new Map()): Cost => {
  let [operations, bytes] = [0, 0]
  for (const node of program.nodes) {
    operations += flops(node, lengths)
    if (free.has(node.primitive.name)) continue
    // A slice reads only the part of its operand that it takes.
    const read = node.primitive.name === "slice" ? [node] : node.operands
    for (const { shape } of [...read, node]) bytes += 4 * NdArray.size(Shape.resolve(shape, lengths))
  }
  return { flops: operations, bytes }
}

/** Operations without memory of their own: another tensor's memory in another shape, or one number everywhere. */
const views = new Set(["constant", "reshape", "broadcast"])

/**
 * Peak memory in bytes of a program's intermediate results and outputs, in float32, each held from its operation to its last use; excludes the
 * inputs.
 */
export const held = (source: Program, lengths: ReadonlyMap<string, number> = new Map()): number =>
  heldAsItIs(simplify(Rewrite.expand(source)), lengths)

/** The same for a program that is already simplified. */
export const heldAsItIs = ({ nodes, outputs }: Program, lengths: ReadonlyMap<string, number> = new Map()): number => {
  const owner = (node: Tensor): Tensor =>
    views.has(node.primitive.name) && node.operands[0] !== undefined ? owner(node.operands[0]) : node
  const isOwn = ({ primitive }: Tensor) => primitive.name !== "input" && !views.has(primitive.name)
  const kept = new Set(Object.values(outputs).map(owner))
  const last = new Map<Tensor, number>()
  nodes.forEach((node, i) => {
    for (const used of [node, ...node.operands]) last.set(owner(used), i)
  })
  const bytes = ({ shape }: Tensor) => 4 * NdArray.size(Shape.resolve(shape, lengths))
  const ending = Map.groupBy(
    [...last].filter(([node]) => isOwn(node) && !kept.has(node)),
    ([, i]) => i
  )
  let [now, peak] = [0, 0]
  for (const [i, node] of nodes.entries()) {
    if (isOwn(node)) now += bytes(node)
    peak = Math.max(peak, now)
    for (const [dead] of ending.get(i) ?? []) now -= bytes(dead)
  }
  return peak
}
