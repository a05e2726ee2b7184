/**
 * What is done to raw columns before a circuit sees them, as it is kept with what was trained.
 */
import { Schema } from "effect"

const NumberColumn = Schema.TaggedStruct("Number", {
  name: Schema.String,
  /** What a missing value becomes; none may be missing where absent. */
  fill: Schema.optionalKey(Schema.Finite),
  mean: Schema.Finite,
  scale: Schema.Finite.check(Schema.isGreaterThan(0))
})

const CategoryColumn = Schema.TaggedStruct("Category", {
  name: Schema.String,
  /** In the order of their columns. */
  categories: Schema.Array(Schema.String),
  fill: Schema.optionalKey(Schema.String)
})

/** The schema of a preprocessing. */
export const Preprocessing = Schema.Struct({
  columns: Schema.Array(Schema.Union([NumberColumn, CategoryColumn])),
  unseen: Schema.Literals(["error", "zeros"])
})

/** Raw columns in order: a number x becomes (x − mean) / scale, a category a 1 in its own column; an unseen one is refused, or all zeros. */
export interface Preprocessing extends Schema.Schema.Type<typeof Preprocessing> {}
