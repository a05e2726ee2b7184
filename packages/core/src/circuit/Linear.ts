/**
 * The linear map between two layers.
 */
import { show } from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Block } from "./Block.ts"

/** What a map may be told. */
export interface Settings {
  /** Whether it adds b, as it does unless told; before a batch norm, which takes the mean off again, b has no gradient but rounding. */
  readonly bias?: boolean
}

/** y = x W + b, with x: [batch, inputs], W: [inputs, outputs], b: [outputs], y: [batch, outputs]. */
export const make = (inputs: number, outputs: number, { bias = true }: Settings = {}): Block => {
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
      // Segments computed together bring a leading axis, which their weights have too.
      if (z.shape.length === weight!.shape.length) return b === undefined ? z.matMul(weight!) : z.matMul(weight!).add(b)
      const [expected, advice] = [`[batch, ${inputs}]`, "put flatten before it"]
      throw new ShapeMismatch({ operation: "linear", expected, came: show(z.shape), advice })
    }
  }
}
