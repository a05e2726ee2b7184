/**
 * The turns of a repeated block, whose parameters are stacked on a leading axis under `1.*.…`.
 */
import * as Circuit from "../circuit/Circuit.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import type * as Cut from "./Cut.ts"
import type { Theta } from "./Evaluation.ts"

/** A repeated block where it stands in a circuit. */
export interface Repeated {
  readonly path: string
  readonly times: number
  /** Finds the stacked parameters. */
  readonly θ: Theta
  /** Evaluates the block once: a turn, or with the path `1.*` the turns of several segments at once. */
  readonly evaluate: (θ: Theta, z: Tensor, handler: Cut.Handler, path: string) => Tensor
}

/** Evaluates the turns `from` to `to` (exclusive), one after the other. */
export const inSequence = (
  { evaluate, path, θ }: Repeated,
  z: Tensor,
  handler: Cut.Handler,
  from: number,
  to: number
): Tensor => {
  let h = z
  for (let turn = from; turn < to; turn++) {
    const place = Circuit.join(path, turn)
    h = evaluate((name) => θ(Circuit.join(path, "*") + name.slice(place.length)).at(0, turn), h, handler, place)
  }
  return h
}
