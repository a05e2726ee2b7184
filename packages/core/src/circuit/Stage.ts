/**
 * Stages of your own.
 */
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import { type Block, formula } from "./Block.ts"
import * as BlockKinds from "./BlockKinds.ts"

/** Kinds reserved for residual sums, concatenations and a circuit's ends. */
const places: ReadonlySet<string> = new Set(["residual", "concat", "input", "output"])

/**
 * A stage of your own: any plain function on tensors, without parameters. A first stage that changes the width must give its number of `inputs`;
 * otherwise a circuit takes as many as its first map. Throws `ShapeMismatch` where the name belongs to a block already, since the stage would be cut,
 * initialised and loaded as that block.
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
  if (!/^[\w-]+$/.test(kind)) {
    const advice = "plans name stages by it, as in after=own+tanh"
    throw new ShapeMismatch({
      operation: "stage",
      expected: "a name of letters, digits, _ and -",
      came: `«${kind}»`,
      advice
    })
  }
  if (places.has(kind) || BlockKinds.table[kind] !== undefined) {
    const advice = `call it for instance own-${kind}`
    throw new ShapeMismatch({ operation: "stage", expected: "a name that no block has", came: `«${kind}»`, advice })
  }
  return formula(kind, apply, inputs === undefined ? {} : { inputs })
}
