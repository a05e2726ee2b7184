/**
 * Categories as vectors.
 */
import { show } from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Block } from "./Block.ts"

/** The settings of an embedding. */
export interface Settings {
  /** Number of input columns that hold categories. */
  readonly inputs: number
  /** Number of categories, which are numbered from 0. */
  readonly categories: number
  /** Length of each vector. */
  readonly units: number
}

/**
 * Looks up the vector of each category: y[b, i] = W[x[b, i]] with x: [batch, inputs], whole numbers from 0, W: [categories, units] and y: [batch,
 * inputs, units], as PyTorch's Embedding does. A number that is not a category gives the vector 0.
 *
 * ```ts
 * import { Circuit } from "@rai/core"
 *
 * const circuit = Circuit.sequence(
 *   Circuit.embedding({ inputs: 3, categories: 10, units: 4 }),
 *   Circuit.flatten,
 *   Circuit.linear(12, 1)
 * )
 * Circuit.print(circuit) // => "embedding 10→4, flatten, linear 12→1"
 * ```
 */
export const embedding = ({ categories, inputs, units }: Settings): Block => ({
  _tag: "Block",
  kind: "embedding",
  settings: { inputs, categories, units },
  parameters: { weight: { shape: [categories, units], role: "embedding", fanIn: 1, fanOut: units } },
  apply: (x, { weight }) => {
    if (x.shape.length !== 2 || x.shape[1] !== inputs) {
      throw new ShapeMismatch({ operation: "embedding", expected: `[batch, ${inputs}]`, came: show(x.shape) })
    }
    return x.oneHot(categories).matMul(weight!)
  }
})
