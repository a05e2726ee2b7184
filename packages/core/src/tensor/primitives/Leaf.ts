/**
 * The leaves of programs: what a run is given, and constants.
 */
import type { DType } from "../DType.ts"
import type { Primitive } from "../Primitive.ts"
import type { Shape } from "../Shape.ts"

const leaf = (name: string): Primitive => ({
  name,
  shape: (_, { shape }) => shape as Shape,
  dtype: (_, { dtype }) => dtype as DType,
  derivative: () => [],
  cost: 0,
  tolerance: 0
})

/** A value given to each run under its `name`. */
export const input = leaf("input")

/** A constant scalar; broadcast it to fill a shape. */
export const constant = leaf("constant")
