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
  /** What to do, where the widths are not at fault. */
  readonly advice?: string
}> {
  override get message(): string {
    const place = (this.path ?? "") === "" ? this.operation : `${this.operation} in block ${this.path}`
    return `${place}: expected ${this.expected}, but ${this.came} came; ${this.advice ?? "change the widths so that they fit"}`
  }
}
