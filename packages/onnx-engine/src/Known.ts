/**
 * Arrays of programs whose lengths are all known, as they are once a run has begun.
 */
import { NdArray, type Tensor } from "@rai/core"
import type * as Region from "./Region.ts"

/** Kind of the array that holds values of each type. */
export const kinds = { float: "float32", int: "int64", bool: "bool" } as const

/** Returns the kind of the array that holds a tensor. */
export const kindOf = ({ dtype }: Tensor.Tensor): Region.Kind => kinds[dtype]

/** Returns the dimensions of a tensor. */
export const shapeOf = ({ shape }: Tensor.Tensor): ReadonlyArray<number> => shape as ReadonlyArray<number>

/** Returns the number of elements of a tensor. */
export const sizeOf = (node: Tensor.Tensor): number => NdArray.size(shapeOf(node))

/** Returns the length of a tensor's leading axis; a single number counts as one row. */
export const rowsOf = (node: Tensor.Tensor): number => shapeOf(node)[0] ?? 1
