/**
 * A failure that a command itself detects.
 */
import { Schema } from "effect"

/** One line: what was expected, what came, what to do. */
export class CommandFailed extends Schema.TaggedError<CommandFailed>()("CommandFailed", {
  expected: Schema.String,
  came: Schema.String,
  advice: Schema.String
}) {
  override get message(): string {
    return `expected ${this.expected}, but ${this.came}; ${this.advice}`
  }
}
