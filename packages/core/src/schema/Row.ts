/**
 * One measurement of a run, as stored in a line of `metrics.jsonl`.
 */
import { Schema } from "effect"

// JSON has no NaN: it comes back as null.
const Measured = Schema.NullOr(Schema.Number)

/** Schema of a measurement's line. */
export const Row = Schema.Struct({
  phase: Schema.String,
  step: Schema.Int,
  total: Schema.Int,
  seconds: Schema.Number,
  freeRunLoss: Measured,
  freeRunAccuracy: Schema.optional(Measured),
  validationLoss: Schema.optional(Measured),
  validationAccuracy: Schema.optional(Measured),
  relaxedLoss: Schema.optional(Measured),
  relaxationGap: Schema.optional(Measured),
  freeRunShare: Schema.optional(Measured),
  validationShare: Schema.optional(Measured),
  relaxedShare: Schema.optional(Measured),
  residuals: Schema.Array(Measured),
  gradientNorms: Schema.Array(Measured)
})

/** One measurement of a run. */
export interface Row extends Schema.Schema.Type<typeof Row> {}
