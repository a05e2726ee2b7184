/**
 * Classification metrics as scikit-learn defines them. Classes are numbers from 0; the first argument is always the truth, and a second of another
 * length throws `ShapeMismatch`.
 */
import type { NdArray } from "../tensor/NdArray.ts"
import * as Paired from "./Paired.ts"

type Numbers = ArrayLike<number>

const sum = (values: Numbers): number => {
  let total = 0
  for (let i = 0; i < values.length; i++) total += values[i]!
  return total
}

/**
 * The class with the largest logit or probability of each example: [examples, classes] → class numbers; with a single logit, 1 where it is above 0;
 * −1 where an output is NaN.
 */
export const largest = ({ data, shape }: NdArray): Int32Array => {
  const [examples, classes] = shape as readonly [number, number]
  return Int32Array.from({ length: examples }, (_, i) => {
    const own = data.subarray(i * classes, (i + 1) * classes)
    if (own.some(Number.isNaN)) return -1
    return classes === 1 ? Number(own[0]! > 0) : own.indexOf(Math.max(...own))
  })
}

/** Share of examples whose class was predicted correctly. */
export const accuracy = (labels: Numbers, predicted: Numbers): number => {
  Paired.check("accuracy", [labels.length], [predicted.length])
  let right = 0
  for (let i = 0; i < labels.length; i++) if (labels[i] === predicted[i]) right++
  return right / labels.length
}

/**
 * Counts how often each class was predicted as each: [classes, classes], a row per true class and a column per predicted class. Examples with a label
 * or prediction outside 0 … classes − 1 are left out, as scikit-learn leaves out those not among its `labels`.
 *
 * ```ts
 * import { Classification } from "@rai/core"
 *
 * Classification.confusionMatrix([0, 1, 1, 1], [0, 1, 0, 1], 2).data.join() // => "1,0,1,2"
 * ```
 */
export const confusionMatrix = (labels: Numbers, predicted: Numbers, classes: number): NdArray => {
  Paired.check("confusion matrix", [labels.length], [predicted.length])
  const data = new Float64Array(classes * classes)
  const isClass = (of: number) => Number.isInteger(of) && of >= 0 && of < classes
  for (let i = 0; i < labels.length; i++) {
    if (isClass(labels[i]!) && isClass(predicted[i]!)) data[labels[i]! * classes + predicted[i]!]!++
  }
  return { shape: [classes, classes], data }
}

/** Per class: number of examples, number predicted, and number predicted correctly. */
const counts = ({ data, shape }: NdArray) =>
  Array.from({ length: shape[0]! }, (_, c) => {
    const classes = shape[0]!
    const column = Array.from({ length: classes }, (_, i) => data[i * classes + c]!)
    const row = Array.from({ length: classes }, (_, j) => data[c * classes + j]!)
    return { true: sum(row), found: sum(column), right: data[c * classes + c]! }
  })

/** Mean recall over the classes that occur. */
export const balancedAccuracy = (confusion: NdArray): number => {
  const shares = counts(confusion).flatMap((of) => (of.true === 0 ? [] : [of.right / of.true]))
  return sum(shares) / shares.length
}

/** F1 per class, 2 right / (true + found); 0 for a class that neither occurs nor is predicted. */
export const f1 = (confusion: NdArray): ReadonlyArray<number> =>
  counts(confusion).map((of) => (of.right === 0 ? 0 : (2 * of.right) / (of.true + of.found)))

/** Mean F1 over the classes that occur or are predicted. */
export const macroF1 = (confusion: NdArray): number => {
  const all = f1(confusion)
  const each = counts(confusion).flatMap((of, c) => (of.true + of.found === 0 ? [] : [all[c]!]))
  return sum(each) / each.length
}

/**
 * The area under the receiver operating characteristic: the probability that a random example of class 1 scores higher than one of class 0, ties
 * counting half. NaN where a class is missing or a score is NaN.
 */
export const rocAuc = (labels: Numbers, scores: Numbers): number => {
  Paired.check("ROC AUC", [labels.length], [scores.length])
  // NaN cannot be ordered.
  if (Array.prototype.some.call(scores, Number.isNaN)) return Number.NaN
  const order = Array.from({ length: labels.length }, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!)
  let [ranks, ones] = [0, 0]
  for (let from = 0; from < order.length; ) {
    let to = from + 1
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) to++
    // Ties share their ranks, from + 1 … to.
    for (let i = from; i < to; i++) {
      if (labels[order[i]!] !== 1) continue
      ones++
      ranks += (from + 1 + to) / 2
    }
    from = to
  }
  return (ranks - (ones * (ones + 1)) / 2) / (ones * (labels.length - ones))
}

/** Mean of −ln p of the true class; probabilities: [examples, classes], kept ε away from 0 and 1: 2⁻⁵², or 2⁻²³ in float32. */
export const logLoss = (labels: Numbers, { data, shape }: NdArray): number => {
  const [examples, classes] = shape as readonly [number, number]
  Paired.check("log loss", [labels.length], [examples])
  const epsilon = data instanceof Float32Array ? 2 ** -23 : Number.EPSILON
  let total = 0
  for (let i = 0; i < examples; i++) {
    total -= Math.log(Math.min(1 - epsilon, Math.max(epsilon, data[i * classes + labels[i]!]!)))
  }
  return total / examples
}
