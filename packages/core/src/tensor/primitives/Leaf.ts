/**
 * Where programs begin: what a run is given, and numbers that never change.
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

/** A value that each run is given under its `name`. */
export const input = leaf("input")

/** One number, a scalar; broadcast it to fill a shape. */
export const constant = leaf("constant")
