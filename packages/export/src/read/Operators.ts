/**
 * The table of supported ONNX operators: one row each, the operator as a formula.
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

/** Row of each supported operator, by its type. */
export const table: ReadonlyMap<string, Row> = new Map(
  [Elementwise, Reductions, Movement, Products, Convolution, Pooling, Normalization, Classical].flatMap(({ rows }) =>
    Object.entries(rows)
  )
)

/** Operator sets that the rows support. */
export const opsets = { lowest: 1, highest: 28 } as const
