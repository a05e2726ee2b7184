/**
 * What a row throws where it cannot express a node in primitives, as `Tensor` throws `ShapeMismatch`; `Network` catches both.
 */
import { ShapeMismatch } from "@rai/core"

export class Refused extends Error {
  /** Whether the model itself is invalid, rather than unsupported. */
  readonly isInvalid: boolean

  constructor(reason: string, isInvalid = false) {
    super(reason)
    this.isInvalid = isInvalid
  }
}

/** Returns what `f` throws as a value, where it refuses something or shapes do not fit. */
export const attempt = <A>(f: () => A): A | Refused => {
  try {
    return f()
  } catch (error) {
    if (error instanceof Refused) return error
    if (error instanceof ShapeMismatch) {
      return new Refused(`${error.operation} expects ${error.expected}, and ${error.came} comes`, true)
    }
    throw error
  }
}
