/**
 * Shapes of programs whose lengths are all known, as they are once a run has begun.
 */
import { NdArray, type Tensor } from "@rai/core"

/** The dimensions of a tensor. */
export const shapeOf = ({ shape }: Tensor.Tensor): ReadonlyArray<number> => shape as ReadonlyArray<number>

/** How many elements it has. */
export const sizeOf = (node: Tensor.Tensor): number => NdArray.size(shapeOf(node))

/** How long its leading axis is; a single number is one row. */
export const rowsOf = (node: Tensor.Tensor): number => shapeOf(node)[0] ?? 1
