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
      const told = `${message} (in ${where})`
      // An error that cannot be changed stays as it is.
      Reflect.set(error, "message", told)
      Reflect.set(
        error,
        "stack",
        stack?.replace(message, () => told)
      )
    }
    throw error
  }
}
