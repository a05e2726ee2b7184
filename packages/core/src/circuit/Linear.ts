/**
 * The linear map between two layers.
 */
import { show } from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
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
  apply: (z, { bias, weight }) => {
    // Segments computed together bring a leading axis, which their weights have too.
    if (z.shape.length === weight!.shape.length) return z.matMul(weight!).add(bias!)
    const [expected, advice] = [`[batch, ${inputs}]`, "put flatten before it"]
    throw new ShapeMismatch({ operation: "linear", expected, came: show(z.shape), advice })
  }
})
