/**
 * Dropout: units left out at random during training.
 */
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Keeping } from "./Block.ts"

/**
 * Sets each number to 0 with probability `rate`, at least 0 and below 1, else divides it by 1 − rate, anew in each training step; z ↦ z in the free
 * run (Srivastava et al. 2014).
 *
 * ```ts
 * import { Circuit } from "@rai/core"
 *
 * Circuit.print(Circuit.sequence(Circuit.relu, Circuit.dropout(0.5))) // => "relu, dropout 0.5"
 * ```
 */
export const dropout = (rate: number): Keeping => ({
  _tag: "Block",
  kind: "dropout",
  settings: { rate },
  parameters: {},
  isPassing: true,
  apply: (z) => {
    if (rate >= 0 && rate < 1) return z
    const [expected, advice] = ["a rate from 0 to below 1", "write for instance 0.5"]
    throw new ShapeMismatch({ operation: "dropout", expected, came: String(rate), advice })
  },
  training: {
    random: true,
    apply: (z, { uniform }) =>
      z.mul(
        uniform!
          .greater(rate)
          .float()
          .mul(1 / (1 - rate))
      )
  }
})
