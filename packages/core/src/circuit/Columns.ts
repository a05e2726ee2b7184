/**
 * A block that selects some of its input columns.
 */
import { show } from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Block } from "./Block.ts"

/** The settings of a column selection. */
export interface Settings {
  /** Number of input columns. */
  readonly inputs: number
  /** The first column that is kept, from 0. */
  readonly first: number
  /** Number of columns that are kept. */
  readonly count: number
}

/**
 * `count` columns from the `first` on: [batch, inputs] → [batch, count].
 *
 * ```ts
 * import { Circuit } from "@rai/core"
 *
 * // Two columns of numbers as they are, the third, a category, as a vector.
 * const entry = Circuit.branch(
 *   Circuit.columns({ inputs: 3, first: 0, count: 2 }),
 *   Circuit.sequence(
 *     Circuit.columns({ inputs: 3, first: 2, count: 1 }),
 *     Circuit.embedding({ inputs: 1, categories: 7, units: 4 }),
 *     Circuit.flatten
 *   )
 * )
 * Circuit.print(entry) // => "branch (columns 3→2 | columns 3→1, embedding 7→4, flatten)"
 * ```
 */
export const columns = ({ count, first, inputs }: Settings): Block => ({
  _tag: "Block",
  kind: "columns",
  settings: { inputs, first, count },
  parameters: {},
  isPassing: true,
  apply: (x) => {
    if (x.shape.length !== 2 || x.shape[1] !== inputs || first + count > inputs) {
      const expected = `[batch, ${Math.max(inputs, first + count)}]`
      throw new ShapeMismatch({ operation: "columns", expected, came: show(x.shape) })
    }
    return x.slice(1, first, first + count)
  }
})
