/**
 * What a program costs, before it runs.
 */
import * as NdArray from "../tensor/NdArray.ts"
import * as Shape from "../tensor/Shape.ts"
import type { Program } from "./Program.ts"

/** Floating-point operations, and bytes moved if every operation reads its operands and writes its result once, in float32. */
export interface Cost {
  readonly flops: number
  readonly bytes: number
}

const free = new Set(["input", "constant", "reshape", "broadcast"])

/** Folds the cost of each primitive over the program; `lengths` gives the named dimensions. */
export const cost = (program: Program, lengths: ReadonlyMap<string, number> = new Map()): Cost => {
  let [flops, bytes] = [0, 0]
  for (const { primitive, operands, shape } of program.nodes) {
    const result = Shape.resolve(shape, lengths)
    const given = operands.map((operand) => Shape.resolve(operand.shape, lengths))
    flops += typeof primitive.cost === "number" ? primitive.cost * NdArray.size(result) : primitive.cost(given, result)
    if (!free.has(primitive.name)) {
      bytes += 4 * [...given, result].reduce((total, dimensions) => total + NdArray.size(dimensions), 0)
    }
  }
  return { flops, bytes }
}
