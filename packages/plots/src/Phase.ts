/**
 * The phases of a plan as a figure shows them: a thin rule where each begins, and its name.
 */

/** A phase's name and the step at which it begins. */
export interface Phase {
  readonly name: string
  readonly start: number
}
