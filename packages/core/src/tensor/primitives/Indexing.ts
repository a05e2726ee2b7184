/**
 * Numbers as positions: y[…, k] = 1 where x[…] = k, else 0.
 */
import type { Primitive } from "../Primitive.ts"

/** For k = 0 … classes − 1, along a new last axis; what is none of these has zeros everywhere. */
export const oneHot: Primitive = {
  name: "oneHot",
  shape: ([x], { classes }) => [...x!.shape, classes as number],
  derivative: () => [undefined],
  cost: 1,
  tolerance: 0
}
