/**
 * Layer normalisation: each example is normalised by itself.
 */
import { show } from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Block } from "./Block.ts"
import type { Widths } from "./Widths.ts"

/** Keeps the quotient finite, as in PyTorch. */
const ε = 1e-5

/** y = w (z − mean z) / √(var z + 10⁻⁵) + b over the last axis, with w and b: [units], which start at 1 and 0 (Ba et al. 2016). */
export const layerNorm = <const Units extends number>(units: Units): Block & Widths<Units, Units> => ({
  _tag: "Block",
  kind: "layer-norm",
  settings: { units },
  parameters: {
    weight: { shape: [units], role: "scale", fanIn: 1, fanOut: 1, initial: 1 },
    bias: { shape: [units], role: "bias", fanIn: 1, fanOut: 1, initial: 0 }
  },
  apply: (z, { bias, weight }) => {
    const last = z.shape.length - 1
    if (z.shape[last] !== units) {
      throw new ShapeMismatch({ operation: "layer-norm", expected: `[batch, …, ${units}]`, came: show(z.shape) })
    }
    const centred = z.sub(z.sum([last]).mul(1 / units))
    const variance = centred
      .square()
      .sum([last])
      .mul(1 / units)
    return centred.div(variance.add(ε).sqrt()).mul(weight!).add(bias!)
  }
})
