/**
 * What is wrong with data, where, and what to do about it.
 */
import { Data } from "effect"

/** Data that cannot be used: `source` is a file or a set's name; lines count from 1, the header being line 1 of a file. */
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

/** A text from outside as a message shows it: on one line, at most 40 characters, in guillemets. */
export const quote = (text: string): string => {
  const line = text.replace(/[\p{Cc}\s]+/gu, " ")
  return line.length > 40 ? `«${line.slice(0, 39)}…»` : `«${line}»`
}

/** Names as a message lists them: five of them, and how many more there are. */
export const listed = (names: ReadonlyArray<string>): string =>
  `${names.slice(0, 5).map(quote).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`
