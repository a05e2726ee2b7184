/**
 * The output that keeps results where they are. The binding writes results into the memory that it is given, and then copies each into memory of
 * its own for JavaScript, which takes as long as the elementwise work of a step. It gives up at the first output of a kind that it has no
 * JavaScript value for; one that comes before all others leaves nothing copied. A binding that had a value for it would be slower, no more.
 */

/** A sequence, which is empty; the first output of every graph. */
export const name = "unconverted"

/** Whether all was computed, and the binding gave up converting at this output. */
export const isReached = (error: unknown): boolean =>
  error instanceof Error && error.message === "Non tensor type is temporarily not supported."
