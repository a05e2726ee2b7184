/**
 * Constant factors behind products, (c x) y = c (x y): there the runtime takes them into the product, or a pass takes them along.
 */
import { type Program, Rewrite, Simplify, type Tensor } from "@rai/core"
import * as Known from "./Known.ts"

/** The same program, in which a residual is not multiplied before it goes on to products. */
export const make = (program: Program.Program): Program.Program =>
  Simplify.simplify(
    Rewrite.rewrite(program, (node, operands) => {
      const plain = Rewrite.rebuild(node, operands)
      if (node.primitive.name !== "matMul") return plain
      const scaled = operands.map((x) => factored(x, Known.sizeOf(node)))
      const by = scaled.reduce((product, x) => product * (x?.by ?? 1), 1)
      if (by === 1) return plain
      return Rewrite.rebuild(
        node,
        operands.map((x, i): Tensor.Tensor => scaled[i]?.x ?? x)
      ).mul(by)
    })
  )

/** x and c of a c x; a factor of something small is not to become one of something large, nor one that changes signs or is not finite. */
const factored = (x: Tensor.Tensor, size: number) => {
  const found = Known.sizeOf(x) >= size ? Simplify.scaled(x) : undefined
  return found !== undefined && found.by > 0 && Number.isFinite(found.by) ? found : undefined
}
