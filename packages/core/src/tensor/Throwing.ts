/**
 * What a formula of one's own throws is a mistake in it, and ends the program as it was thrown, with the place of the formula in its message.
 */
import { ShapeMismatch } from "./ShapeMismatch.ts"

/** Errors that name their place. */
const placed = new WeakSet<Error>()

/** Runs a formula; an error that it throws says where, unless it is a `ShapeMismatch`, which has words of its own. */
export const at = <A>(where: string, formula: () => A): A => {
  try {
    return formula()
  } catch (error) {
    if (error instanceof Error && !(error instanceof ShapeMismatch) && !placed.has(error)) {
      placed.add(error)
      const { message, stack } = error
      const told = message === "" ? `(in ${where})` : `${message} (in ${where})`
      const frames = stack?.indexOf("\n    at ") ?? -1
      // An error that cannot be changed stays as it is.
      if (Reflect.set(error, "message", told) && frames > 0) {
        Reflect.set(error, "stack", String(error) + stack!.slice(frames))
      }
    }
    throw error
  }
}
