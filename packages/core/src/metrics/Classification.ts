/**
 * How well classes are told apart, as scikit-learn defines it. Classes are numbers from 0; the first argument is always the truth.
 */
import type { NdArray } from "../tensor/NdArray.ts"

type Numbers = ArrayLike<number>

const sum = (values: Numbers): number => {
  let total = 0
  for (let i = 0; i < values.length; i++) total += values[i]!
  return total
}

/** The class with the largest logit or probability of each example: [examples, classes] → class numbers; of one logit, 1 where it is above 0; −1 where one of them is NaN. */
export const largest = ({ data, shape }: NdArray): Int32Array => {
  const [examples, classes] = shape as readonly [number, number]
  return Int32Array.from({ length: examples }, (_, i) => {
    const own = data.subarray(i * classes, (i + 1) * classes)
    if (own.some(Number.isNaN)) return -1
    return classes === 1 ? Number(own[0]! > 0) : own.indexOf(Math.max(...own))
  })
}

/** The share of examples whose class was found. */
export const accuracy = (labels: Numbers, predicted: Numbers): number => {
  let right = 0
  for (let i = 0; i < labels.length; i++) if (labels[i] === predicted[i]) right++
  return right / labels.length
}

/**
 * How often each class was taken for each: [classes, classes], a row for each true class and a column for each that was found. What is
 * none of the classes 0 … classes − 1, on either side, is left out, as scikit-learn leaves out what is not among its `labels`.
 *
 * ```ts
 * import { Classification } from "@rai/core"
 *
 * Classification.confusionMatrix([0, 1, 1, 1], [0, 1, 0, 1], 2).data.join() // => "1,0,1,2"
 * ```
 */
export const confusionMatrix = (labels: Numbers, predicted: Numbers, classes: number): NdArray => {
  const data = new Float64Array(classes * classes)
  const isClass = (of: number) => Number.isInteger(of) && of >= 0 && of < classes
  for (let i = 0; i < labels.length; i++) {
    if (isClass(labels[i]!) && isClass(predicted[i]!)) data[labels[i]! * classes + predicted[i]!]!++
  }
  return { shape: [classes, classes], data }
}

/** Of each class: how many there are, how many were taken for it, and how many of these rightly. */
const counts = ({ data, shape }: NdArray) =>
  Array.from({ length: shape[0]! }, (_, c) => {
    const classes = shape[0]!
    const column = Array.from({ length: classes }, (_, i) => data[i * classes + c]!)
    const row = Array.from({ length: classes }, (_, j) => data[c * classes + j]!)
    return { true: sum(row), found: sum(column), right: data[c * classes + c]! }
  })

/** The mean over the classes that occur of the share of their examples that was found. */
export const balancedAccuracy = (confusion: NdArray): number => {
  const shares = counts(confusion).flatMap((of) => (of.true === 0 ? [] : [of.right / of.true]))
  return sum(shares) / shares.length
}

/** 2 right / (true + found) of each class; 0 of a class that neither is there nor was found. */
export const f1 = (confusion: NdArray): ReadonlyArray<number> =>
  counts(confusion).map((of) => (of.right === 0 ? 0 : (2 * of.right) / (of.true + of.found)))

/** The mean F1 over the classes that are there or were found. */
export const macroF1 = (confusion: NdArray): number => {
  const all = f1(confusion)
  const each = counts(confusion).flatMap((of, c) => (of.true + of.found === 0 ? [] : [all[c]!]))
  return sum(each) / each.length
}

/**
 * The probability that of a random example of class 1 and one of class 0 the first has the larger score, equal ones counting half: the area
 * under the receiver's operating characteristic. NaN where a class is missing or a score is NaN.
 */
export const rocAuc = (labels: Numbers, scores: Numbers): number => {
  // NaN has no place in an order.
  if (Array.prototype.some.call(scores, Number.isNaN)) return Number.NaN
  const order = Array.from({ length: labels.length }, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!)
  let [ranks, ones] = [0, 0]
  for (let from = 0; from < order.length; ) {
    let to = from + 1
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) to++
    // Equal scores share their ranks, from + 1 … to.
    for (let i = from; i < to; i++) {
      if (labels[order[i]!] !== 1) continue
      ones++
      ranks += (from + 1 + to) / 2
    }
    from = to
  }
  return (ranks - (ones * (ones + 1)) / 2) / (ones * (labels.length - ones))
}

/** The mean of −ln p of the true class; probabilities: [examples, classes], kept ε away from 0 and 1: 2⁻⁵², or 2⁻²³ in float32. */
export const logLoss = (labels: Numbers, { data, shape }: NdArray): number => {
  const [examples, classes] = shape as readonly [number, number]
  const epsilon = data instanceof Float32Array ? 2 ** -23 : Number.EPSILON
  let total = 0
  for (let i = 0; i < examples; i++) {
    total -= Math.log(Math.min(1 - epsilon, Math.max(epsilon, data[i * classes + labels[i]!]!)))
  }
  return total / examples
}

/** Of the examples whose predicted probability of class 1 lies in one part of [0, 1]: how many, its mean, and the share that is of class 1. */
export interface Calibrated {
  readonly examples: number
  readonly predicted: number
  readonly observed: number
}

/** The parts of [0, 1], `bins` of equal width, in which there are examples: a reliability diagram's points. What is NaN is left out. */
export const calibration = (labels: Numbers, probabilities: Numbers, bins = 5): ReadonlyArray<Calibrated> => {
  const edges = Array.from({ length: bins - 1 }, (_, k) => (k + 1) * (1 / bins))
  const parts = Array.from({ length: bins }, () => ({ examples: 0, predicted: 0, observed: 0 }))
  for (let i = 0; i < labels.length; i++) {
    if (Number.isNaN(probabilities[i])) continue
    // A probability at an edge belongs below it; the edges are rounded as numpy rounds them.
    const beyond = edges.findIndex((edge) => probabilities[i]! <= edge)
    const part = parts[beyond < 0 ? bins - 1 : beyond]!
    part.examples++
    part.predicted += probabilities[i]!
    part.observed += labels[i] === 1 ? 1 : 0
  }
  return parts.flatMap(({ examples, observed, predicted }) =>
    examples === 0 ? [] : [{ examples, predicted: predicted / examples, observed: observed / examples }]
  )
}
