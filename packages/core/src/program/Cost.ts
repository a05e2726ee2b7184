/**
 * What a program costs, before it runs.
 */
import * as NdArray from "../tensor/NdArray.ts"
import * as Shape from "../tensor/Shape.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import type { Program } from "./Program.ts"

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
    for (const { shape } of [...node.operands, node]) bytes += 4 * NdArray.size(Shape.resolve(shape, lengths))
  }
  return { flops: operations, bytes }
}
