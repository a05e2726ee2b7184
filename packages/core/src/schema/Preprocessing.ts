/**
 * The preprocessing of raw columns, as stored with a trained circuit.
 */
import { Schema } from "effect"

const NumberColumn = Schema.TaggedStruct("Number", {
  name: Schema.String,
  /** Replacement for a missing value; if absent, none may be missing. */
  fill: Schema.optionalKey(Schema.Finite),
  mean: Schema.Finite,
  scale: Schema.Finite.check(Schema.isGreaterThan(0))
})

const CategoryColumn = Schema.TaggedStruct("Category", {
  name: Schema.String,
  /** In the order of their one-hot columns. */
  categories: Schema.Array(Schema.String),
  fill: Schema.optionalKey(Schema.String)
})

/** The schema of a preprocessing. */
export const Preprocessing = Schema.Struct({
  columns: Schema.Array(Schema.Union([NumberColumn, CategoryColumn])),
  unseen: Schema.Literals(["error", "zeros"])
})

/** Raw columns in order: a number x becomes (x − mean) / scale, a category a 1 in its own column; an unseen one is rejected, or becomes all zeros. */
export interface Preprocessing extends Schema.Schema.Type<typeof Preprocessing> {}
