/**
 * The one error that building a formula can throw.
 */
import { Data } from "effect"

/** Two shapes do not fit, or a setting is invalid; carries the operation and the path of the block at fault. */
export class ShapeMismatch extends Data.TaggedError("ShapeMismatch")<{
  readonly operation: string
  readonly expected: string
  readonly came: string
  readonly path?: string
  /** What of one's own the operation is part of, where that is no block: `the rule own`. */
  readonly where?: string
  /** What to do, where the widths are not at fault. */
  readonly advice?: string
}> {
  override get message(): string {
    const where = (this.path ?? "") === "" ? this.where : `block ${this.path}`
    const place = where === undefined ? this.operation : `${this.operation} in ${where}`
    return `${place}: expected ${this.expected}, but ${this.came} came; ${this.advice ?? "change the widths so that they fit"}`
  }
}
