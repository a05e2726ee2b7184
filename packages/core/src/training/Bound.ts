/**
 * Ranges of a plan's numbers, whether the plan is written as text or built in code.
 */

/** What is expected of a number, in words, and whether a number meets it. */
export interface Bound {
  readonly expected: string
  readonly fits: (value: number) => boolean
}

/** 1, 2, 3, … */
export const counting: Bound = {
  expected: "a whole number from 1",
  fits: (value) => Number.isInteger(value) && value >= 1
}

/** A finite number above 0. */
export const positive: Bound = {
  expected: "a number above 0",
  fits: (value) => value > 0 && Number.isFinite(value)
}

/** A finite number of at least 0. */
export const fromZero: Bound = {
  expected: "a number from 0",
  fits: (value) => value >= 0 && Number.isFinite(value)
}
