/**
 * Constant factors behind products and sums, (c x) y = c (x y): there the runtime takes them into the product, or a pass takes them along.
 */
import { type Program, Rewrite, Simplify, type Tensor } from "@rai/core"
import * as Known from "./Known.ts"

/** The same program, in which a residual is not multiplied before it goes on to products. */
export const make = (program: Program.Program): Program.Program =>
  Simplify.simplify(
    Rewrite.rewrite(program, (node, operands) => {
      const plain = Rewrite.rebuild(node, operands)
      const isLinear = node.primitive.name === "matMul" || node.primitive.name === "sum"
      // A factor of something small is not to become one of something large.
      const scaled = operands.map((x) =>
        isLinear && Known.sizeOf(x) >= Known.sizeOf(node) ? Simplify.scaled(x) : undefined
      )
      if (scaled.every((x) => x === undefined)) return plain
      const by = scaled.reduce((product, x) => product * (x?.by ?? 1), 1)
      return Rewrite.rebuild(
        node,
        operands.map((x, i): Tensor.Tensor => scaled[i]?.x ?? x)
      ).mul(by)
    })
  )
