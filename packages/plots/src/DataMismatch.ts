/**
 * The one way in which a figure can refuse its data.
 */
import { Schema } from "effect"

/** Data that a figure cannot show: too few or too many numbers, an empty range. */
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
