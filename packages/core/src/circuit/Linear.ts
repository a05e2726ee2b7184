/**
 * The linear map between two layers.
 */
import { show } from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Block } from "./Block.ts"
import type { Widths } from "./Widths.ts"

/** The settings of a linear map. */
export interface Settings {
  /** Whether to add b; true by default. Before a batch norm, which subtracts the mean again, b has no gradient except rounding. */
  readonly bias?: boolean
}

/** y = x W + b over the last axis, as PyTorch's Linear: x: [batch, …, inputs], W: [inputs, outputs], b: [outputs], y: [batch, …, outputs]. */
export const make = <const In extends number, const Out extends number>(
  inputs: In,
  outputs: Out,
  { bias = true }: Settings = {}
): Block & Widths<In, Out> => {
  const own = { fanIn: inputs, fanOut: outputs }
  return {
    _tag: "Block",
    kind: "linear",
    settings: { inputs, outputs, ...(!bias && { bias: 0 }) },
    parameters: {
      weight: { shape: [inputs, outputs], role: "weight", ...own },
      ...(bias && { bias: { shape: [outputs], role: "bias", ...own } })
    },
    apply: (z, { bias: b, weight }) => {
      if (z.shape.length > 1 && z.shape.at(-1) === inputs) {
        const y = z.matMul(weight!)
        return b === undefined ? y : y.add(b)
      }
      const expected = `[batch, …, ${inputs}]`
      const advice = `${z.shape.length > 2 ? "put flatten before it, or " : ""}change the widths so that they fit`
      throw new ShapeMismatch({ operation: "linear", expected, came: show(z.shape), advice })
    }
  }
}
