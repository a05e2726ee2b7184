/**
 * The channel axis, which follows the batch axis.
 */
import { Shape, type Tensor } from "@rai/core"
import { Refused } from "./Refused.ts"

/** v: [channels] → [1, channels, 1, …], for a tensor of `rank` axes. */
export const each = (v: Tensor.Tensor, rank: number): Tensor.Tensor => {
  if (v.shape.length !== 1 || rank < 2) throw new Refused(`${Shape.show(v.shape)} is not one number a channel`, true)
  return v.reshape([1, v.shape[0]!, ...Array<number>(rank - 2).fill(1)])
}
