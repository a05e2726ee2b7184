/**
 * The one thing that building a formula can throw.
 */
import { Data } from "effect"

/** Two shapes that do not fit, or a setting that no formula follows, with the operation and the path of the block at fault. */
export class ShapeMismatch extends Data.TaggedError("ShapeMismatch")<{
  readonly operation: string
  readonly expected: string
  readonly came: string
  readonly path?: string
  /** What to do, where it is not the widths that are at fault. */
  readonly advice?: string
}> {
  override get message(): string {
    const place = (this.path ?? "") === "" ? this.operation : `${this.operation} in block ${this.path}`
    return `${place}: expected ${this.expected}, but ${this.came} came; ${this.advice ?? "change the widths so that they fit"}`
  }
}
