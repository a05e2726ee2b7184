/**
 * Reshapes rows of numbers to images or signals, and back.
 */
import { count, show } from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Block } from "./Block.ts"

/** The shape of one signal or image. */
export type Unflattened =
  | { readonly channels: number; readonly length: number }
  | { readonly channels: number; readonly height: number; readonly width: number }

/** [batch, channels · height · width] → [batch, channels, height, width], or [batch, channels · length] → [batch, channels, length]. */
export const unflatten = (settings: Unflattened): Block => {
  const shape =
    "length" in settings ? [settings.channels, settings.length] : [settings.channels, settings.height, settings.width]
  const inputs = shape.reduce((a, b) => a * b)
  return {
    _tag: "Block",
    kind: "unflatten",
    settings: { inputs, ...settings },
    parameters: {},
    isPassing: true,
    apply: (z) => {
      if (z.shape.length === 2 && z.shape[1] === inputs) return z.reshape([z.shape[0]!, ...shape])
      throw new ShapeMismatch({ operation: "unflatten", expected: `[batch, ${inputs}]`, came: show(z.shape) })
    }
  }
}

/** [batch, …] → [batch, product of the other axes] */
export const flatten: Block = {
  _tag: "Block",
  kind: "flatten",
  settings: {},
  parameters: {},
  isPassing: true,
  apply: (z) => z.reshape([z.shape[0]!, count(z.shape.slice(1)).known])
}
