/**
 * Statistics that sum up the results of many seeds.
 */

/** Σ x / n */
export const mean = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0) / values.length

/** The sample standard deviation, √(Σ (x − mean)² / (n − 1)); 0 for a single number. */
export const deviation = (values: ReadonlyArray<number>): number => {
  const centre = mean(values)
  if (values.length < 2) return 0
  return Math.sqrt(values.reduce((total, x) => total + (x - centre) ** 2, 0) / (values.length - 1))
}

/** The middle number, or the mean of the two in the middle; NaN if there are none. */
export const median = (values: ReadonlyArray<number>): number => {
  if (values.length === 0) return Number.NaN
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
}

/** The standard error of the difference of two means, √(s₁²/n₁ + s₂²/n₂) (Welch 1947). */
export const standardError = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number =>
  Math.sqrt(deviation(a) ** 2 / a.length + deviation(b) ** 2 / b.length)
