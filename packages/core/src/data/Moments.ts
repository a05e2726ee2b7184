/**
 * Mean, deviation and median of a column that arrives part by part, with gaps.
 */
import type { NdArray } from "../tensor/NdArray.ts"

/** Deviations above this, or below its reciprocal, are far from the numbers that circuits start with. */
export const farFromOne = 30

/** The numbers of one column so far. */
export interface Tally {
  /** Adds column `at` of [examples, columns], ignoring NaN. */
  readonly add: (part: NdArray, at: number) => void
  readonly examples: () => number
  readonly mean: () => number
  /** The median; only for a tally that keeps the numbers. */
  readonly median: () => number
  /** Mean and variance with each gap filled; as in scikit-learn's `StandardScaler`, a variance that is only rounding error becomes 0. */
  readonly moments: (fill: number) => { readonly mean: number; readonly variance: number }
}

/** Count, mean, and sum of squared distances from the mean. */
interface Sums {
  readonly n: number
  readonly mean: number
  readonly squares: number
}

// Chan, Golub and LeVeque's update, which stays accurate where the mean is large relative to the deviation.
const merge = (a: Sums, b: Sums): Sums => {
  const n = a.n + b.n
  if (n === 0) return a
  const difference = b.mean - a.mean
  return {
    n,
    mean: a.mean + (difference * b.n) / n,
    squares: a.squares + b.squares + (difference ** 2 * a.n * b.n) / n
  }
}

/** Creates an empty tally; `keeping` all numbers makes the median possible. */
export const tally = (keeping = false): Tally => {
  let all: Sums = { n: 0, mean: 0, squares: 0 }
  let gaps = 0
  const kept: Array<number> = []
  return {
    add: (part, at) => {
      all = merge(all, of(part, at))
      const [examples = 0, width = 0] = part.shape
      gaps += examples
      for (let i = at; i < part.data.length; i += width) {
        if (Number.isNaN(part.data[i])) continue
        gaps--
        if (keeping) kept.push(part.data[i]!)
      }
    },
    examples: () => all.n,
    mean: () => all.mean,
    median: () => {
      const sorted = Float64Array.from(kept).sort()
      const half = sorted.length >> 1
      return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
    },
    moments: (fill) => {
      const { mean, n, squares } = merge(all, { n: gaps, mean: fill, squares: 0 })
      const variance = squares / n
      // Rounding error of a constant column.
      const rounding = n * Number.EPSILON * variance + (n * mean * Number.EPSILON) ** 2
      const isConstant = Number.isFinite(variance) && variance <= rounding
      return { mean, variance: isConstant ? 0 : variance }
    }
  }
}

const of = ({ data, shape }: NdArray, at: number): Sums => {
  const width = shape[1]!
  let [n, sum] = [0, 0]
  for (let i = at; i < data.length; i += width) {
    if (Number.isNaN(data[i])) continue
    n++
    sum += data[i]!
  }
  const mean = n === 0 ? 0 : sum / n
  let [squares, drift] = [0, 0]
  for (let i = at; i < data.length; i += width) {
    if (Number.isNaN(data[i])) continue
    squares += (data[i]! - mean) ** 2
    drift += data[i]! - mean
  }
  return { n, mean, squares: n === 0 ? 0 : squares - drift ** 2 / n }
}
