/**
 * Stages of your own.
 */
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import { type Block, formula } from "./Block.ts"
import * as BlockKinds from "./BlockKinds.ts"

/** What stands at a sum, where parts are put together, and at a circuit's ends. */
const places: ReadonlySet<string> = new Set(["residual", "concat", "input", "output"])

/**
 * A stage of your own: any plain function on tensors, without parameters. One that changes the width and stands first says how many `inputs` it
 * takes; otherwise a circuit takes what its first map does. Throws `ShapeMismatch` where a block has that name already, as which it would be
 * cut, started and loaded.
 *
 * ```ts
 * import { Circuit } from "@rai/core"
 *
 * const swish = Circuit.stage("swish", (z) => z.mul(z.sigmoid()))
 * const circuit = Circuit.sequence(Circuit.linear(2, 8), swish, Circuit.linear(8, 1))
 * Circuit.print(circuit) // => "linear 2→8, swish, linear 8→1"
 * ```
 */
export const stage = (
  kind: string,
  apply: (z: Tensor) => Tensor,
  { inputs }: { readonly inputs?: number } = {}
): Block => {
  if (places.has(kind) || BlockKinds.table[kind] !== undefined) {
    const advice = `call it for instance own-${kind}`
    throw new ShapeMismatch({ operation: "stage", expected: "a name that no block has", came: `«${kind}»`, advice })
  }
  return formula(kind, apply, inputs === undefined ? {} : { inputs })
}
