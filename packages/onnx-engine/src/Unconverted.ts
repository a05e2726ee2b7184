/**
 * An extra output that keeps results from being copied. The binding writes results into the memory that it is given, then copies each into a new
 * JavaScript buffer, which takes as long as a step's elementwise work. It stops at the first output of a kind that has no JavaScript value, so one
 * that precedes all others leaves nothing copied. A binding that could convert it would merely be slower.
 */

/** An empty sequence; the first output of every graph. */
export const name = "unconverted"

/** Whether everything was computed and the binding stopped converting at this output. */
export const isReached = (error: unknown): boolean =>
  error instanceof Error && error.message === "Non tensor type is temporarily not supported."
