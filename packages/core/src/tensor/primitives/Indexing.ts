/**
 * Numbers as indices: y[…, k] = 1 where x[…] = k, else 0.
 */
import type { Primitive } from "../Primitive.ts"

/** For k = 0 … classes − 1, along a new last axis; any other number gives zeros throughout. */
export const oneHot: Primitive = {
  name: "oneHot",
  shape: ([x], { classes }) => [...x!.shape, classes as number],
  derivative: () => [undefined],
  cost: 1,
  tolerance: 0
}
