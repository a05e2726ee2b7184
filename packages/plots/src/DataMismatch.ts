/**
 * The one error with which a figure refuses its data.
 */
import { Schema } from "effect"

/** A figure cannot show its data: too few or too many numbers, or an empty range. */
export class DataMismatch extends Schema.TaggedError<DataMismatch>()("DataMismatch", {
  figure: Schema.String,
  expected: Schema.String,
  came: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.figure}: expected ${this.expected}, but ${this.came} came; ${this.remedy}`
  }
}
