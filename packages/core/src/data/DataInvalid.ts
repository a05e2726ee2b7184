/**
 * What is wrong with data, where, and what to do about it.
 */
import { Data } from "effect"

/** Data that cannot be used: `source` is a file or a data set's name; lines count from 1, and a file's header is line 1. */
export class DataInvalid extends Data.TaggedError("DataInvalid")<{
  readonly source: string
  readonly line?: number
  readonly column?: string
  readonly setting?: string
  readonly expected: string
  readonly came: string
  readonly advice: string
}> {
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

/** Formats external text for a message: on one line, at most 40 characters, in guillemets. */
export const quote = (text: string): string => {
  const line = text.replace(/[\p{Cc}\s]/gu, " ") // one for one: two names that differ in spaces alone are not shown alike
  return line.length > 40 ? `«${line.slice(0, 39)}…»` : `«${line}»`
}

/** Formats names for a message: the first five, and how many more there are. */
export const listed = (names: ReadonlyArray<string>): string =>
  `${names.slice(0, 5).map(quote).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`
