/**
 * The table of what is read: each ONNX operator as a formula, one row each.
 */
import type { Row } from "./Call.ts"
import * as Classical from "./Classical.ts"
import * as Convolution from "./Convolution.ts"
import * as Elementwise from "./Elementwise.ts"
import * as Movement from "./Movement.ts"
import * as Normalization from "./Normalization.ts"
import * as Pooling from "./Pooling.ts"
import * as Products from "./Products.ts"
import * as Reductions from "./Reductions.ts"

/** Every operator that is read, by its type. */
export const table: ReadonlyMap<string, Row> = new Map(
  [Elementwise, Reductions, Movement, Products, Convolution, Pooling, Normalization, Classical].flatMap(({ rows }) =>
    Object.entries(rows)
  )
)

/** The operator sets that the rows know. */
export const opsets = { lowest: 1, highest: 28 } as const
