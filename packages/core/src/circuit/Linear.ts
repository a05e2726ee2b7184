/**
 * The linear map between two layers.
 */
import type { Block } from "./Block.ts"

/** y = x W + b, with x: [batch, inputs], W: [inputs, outputs], b: [outputs], y: [batch, outputs]. */
export const make = (inputs: number, outputs: number): Block => ({
  _tag: "Block",
  kind: "linear",
  settings: { inputs, outputs },
  parameters: {
    weight: { shape: [inputs, outputs], role: "weight", fanIn: inputs, fanOut: outputs },
    bias: { shape: [outputs], role: "bias", fanIn: inputs, fanOut: outputs }
  },
  apply: (z, { bias, weight }) => z.matMul(weight!).add(bias!)
})
