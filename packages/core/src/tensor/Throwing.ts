/**
 * What a formula of one's own throws is a mistake in it, and ends the program as it was thrown, with the place of the formula in its message; a
 * `ShapeMismatch` says the place in its own words.
 */
import { ShapeMismatch } from "./ShapeMismatch.ts"

/** Errors that name their place. */
const placed = new WeakSet<Error>()

/** Runs a formula; an error that it throws says where, unless it names a place already. `path` is the block's, where the formula is a block. */
export const at = <A>(where: string, formula: () => A, path?: string): A => {
  try {
    return formula()
  } catch (error) {
    if (error instanceof ShapeMismatch) throw mismatch(error, path === undefined ? { where } : { path })
    if (error instanceof Error && !placed.has(error)) {
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

const mismatch = (
  error: ShapeMismatch,
  place: { readonly path: string } | { readonly where: string }
): ShapeMismatch => {
  const { advice, came, expected, operation, path, where } = error
  if ((path ?? where) !== undefined || ("where" in place && operation === place.where)) return error
  return new ShapeMismatch({ operation, expected, came, ...place, ...(advice === undefined ? {} : { advice }) })
}
