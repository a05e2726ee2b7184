/**
 * Regression metrics as scikit-learn defines them. The first argument is always the truth; both are [examples, outputs], else they throw
 * `ShapeMismatch`.
 */
import type { NdArray } from "../tensor/NdArray.ts"
import * as Paired from "./Paired.ts"

const mean = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0) / values.length

const column = ({ data, shape }: NdArray, output: number): ReadonlyArray<number> =>
  Array.from({ length: shape[0]! }, (_, i) => data[i * (shape[1] ?? 1) + output]!)

const each = <A>(targets: NdArray, of: (output: number) => A): ReadonlyArray<A> =>
  Array.from({ length: targets.shape[1] ?? 1 }, (_, output) => of(output))

const differences = (targets: NdArray, predictions: NdArray, output: number): ReadonlyArray<number> => {
  Paired.check("regression metrics", targets.shape, predictions.shape)
  const came = column(predictions, output)
  return column(targets, output).map((y, i) => y - came[i]!)
}

/** Mean of (y − ŷ)². */
export const meanSquaredError = (targets: NdArray, predictions: NdArray): number =>
  mean(each(targets, (output) => mean(differences(targets, predictions, output).map((d) => d * d))))

/** √ of the mean of (y − ŷ)², averaged over several outputs. */
export const rootMeanSquaredError = (targets: NdArray, predictions: NdArray): number =>
  mean(each(targets, (output) => Math.sqrt(mean(differences(targets, predictions, output).map((d) => d * d)))))

/** Mean of |y − ŷ|. */
export const meanAbsoluteError = (targets: NdArray, predictions: NdArray): number =>
  mean(each(targets, (output) => mean(differences(targets, predictions, output).map(Math.abs))))

/**
 * R² = 1 − Σ (y − ŷ)² / Σ (y − mean y)², averaged over several outputs; for an output that does not vary, 1 if it is predicted exactly, else 0; NaN
 * for fewer than two examples.
 *
 * ```ts
 * import { NdArray, Regression } from "@rai/core"
 *
 * Regression.r2(NdArray.make([3, 1], [1, 2, 3]), NdArray.make([3, 1], [1, 2, 2])) // => 0.5
 * ```
 */
export const r2 = (targets: NdArray, predictions: NdArray): number =>
  mean(
    each(targets, (output) => {
      const y = column(targets, output)
      const centre = mean(y)
      const total = y.reduce((sum, value) => sum + (value - centre) ** 2, 0)
      const left = differences(targets, predictions, output).reduce((sum, d) => sum + d * d, 0)
      if (y.length < 2) return Number.NaN
      return total === 0 ? Number(left === 0) : 1 - left / total
    })
  )
