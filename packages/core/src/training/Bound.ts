/**
 * What the numbers of a plan must be, whether it is written as text or made in code.
 */

/** What is expected of a number, in words, and whether one fits. */
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

/** 0 or a finite number above it. */
export const fromZero: Bound = {
  expected: "a number from 0",
  fits: (value) => value >= 0 && Number.isFinite(value)
}
