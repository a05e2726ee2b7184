/**
 * Products that sum over a shared axis: y[…, i, j] = Σ_k a[…, i, k] b[…, k, j].
 */
import * as NdArray from "../NdArray.ts"
import type { Primitive } from "../Primitive.ts"
import * as Shape from "../Shape.ts"
import { ShapeMismatch } from "../ShapeMismatch.ts"

const flags = (attributes: object) => attributes as { transposeA: boolean; transposeB: boolean }

/** Batched over the leading axes, which both operands share; `transposeA` and `transposeB` swap the last two axes of an operand. */
export const matMul: Primitive = {
  name: "matMul",
  shape: ([a, b], attributes) => {
    const { transposeA, transposeB } = flags(attributes)
    const rank = a!.shape.length
    const leading = a!.shape.slice(0, -2)
    const [rows, inner] = transposeA
      ? [a!.shape[rank - 1], a!.shape[rank - 2]]
      : [a!.shape[rank - 2], a!.shape[rank - 1]]
    const [depth, columns] = transposeB
      ? [b!.shape[rank - 1], b!.shape[rank - 2]]
      : [b!.shape[rank - 2], b!.shape[rank - 1]]
    if (rank < 2 || b!.shape.length !== rank || inner !== depth || !Shape.equals(leading, b!.shape.slice(0, -2))) {
      throw new ShapeMismatch({
        operation: "matMul",
        expected: `a right factor [${[...leading, inner, "…"].join(",")}] for ${Shape.show(a!.shape)}`,
        came: Shape.show(transposeB ? [...leading, depth ?? "?", columns ?? "?"] : b!.shape)
      })
    }
    return [...leading, rows!, columns!]
  },
  derivative: (g, y) => {
    const [a, b] = [y.operands[0]!, y.operands[1]!]
    const { transposeA, transposeB } = flags(y.attributes)
    return [
      transposeA ? b.matMul(g, { transposeA: transposeB, transposeB: true }) : g.matMul(b, { transposeB: !transposeB }),
      transposeB ? g.matMul(a, { transposeA: true, transposeB: transposeA }) : a.matMul(g, { transposeA: !transposeA })
    ]
  },
  cost: ([a], result) => 2 * NdArray.size(result) * (NdArray.size(a!) / NdArray.size(result.slice(0, -1))),
  tolerance: 1e-5
}
