/**
 * What is wrong with data, where, and what to do about it.
 */
import { Schema } from "effect"

/** Data that cannot be used: `source` is a file or a set's name; lines count from 1, the header being line 1 of a file. */
export class DataInvalid extends Schema.TaggedError<DataInvalid>()("DataInvalid", {
  source: Schema.String,
  line: Schema.optionalKey(Schema.Int),
  column: Schema.optionalKey(Schema.String),
  setting: Schema.optionalKey(Schema.String),
  expected: Schema.String,
  came: Schema.String,
  advice: Schema.String
}) {
  override get message(): string {
    const place = [
      this.source,
      ...(this.line === undefined ? [] : [`line ${this.line}`]),
      ...(this.column === undefined ? [] : [`column ${quote(this.column)}`]),
      ...(this.setting === undefined ? [] : [`setting ${quote(this.setting)}`])
    ]
    return `${place.join(", ")}: expected ${this.expected}, but ${this.came}; ${this.advice}`
  }
}

/** A text from outside as a message shows it: on one line, at most 40 characters, in guillemets. */
export const quote = (text: string): string => {
  const line = text.replace(/[\p{Cc}\s]+/gu, " ")
  return line.length > 40 ? `«${line.slice(0, 39)}…»` : `«${line}»`
}
