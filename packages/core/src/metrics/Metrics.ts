/**
 * All that is measured of a circuit's answers, by what it learned: of classes how well they are told apart, of values how well they are met.
 */
import type { Task } from "../data/Dataset.ts"
import type * as NdArray from "../tensor/NdArray.ts"
import * as Classification from "./Classification.ts"
import * as Regression from "./Regression.ts"

/** Of classes. */
export interface OfClasses {
  readonly task: "binary" | "classes"
  readonly examples: number
  readonly accuracy: number
  readonly balancedAccuracy: number
  /** Of class 1 where there are two, else the mean over the classes. */
  readonly f1: number
  /** Of each class. */
  readonly f1OfClasses: ReadonlyArray<number>
  /** Of class 1 where there are two, else the mean over each class against the others; NaN where a class is missing or an answer is NaN. */
  readonly rocAuc: number
  readonly logLoss: number
  /** A row for each true class and a column for each that was found. */
  readonly confusion: ReadonlyArray<ReadonlyArray<number>>
}

/** How well values are met. */
export interface Fit {
  readonly r2: number
  readonly rootMeanSquaredError: number
  readonly meanAbsoluteError: number
}

/** Of values; of several targets the mean of each number over them. */
export interface OfValues extends Fit {
  readonly task: "regression"
  readonly examples: number
  readonly ofTargets: ReadonlyArray<Fit>
}

/** Of either. */
export type Metrics = OfClasses | OfValues

/** The probabilities that logits mean: [examples, classes], of one logit with 1 − σ in front of it. */
export const probabilities = ({ data, shape }: NdArray.NdArray): NdArray.NdArray => {
  const [examples, outputs] = shape as readonly [number, number]
  const classes = outputs === 1 ? 2 : outputs
  const found = new Float64Array(examples * classes)
  for (let i = 0; i < examples; i++) {
    // One logit is the second of two, of which the first is 0.
    const own = Array.from(data.subarray(i * outputs, (i + 1) * outputs))
    const logits = outputs === 1 ? [0, ...own] : own
    const largest = Math.max(...logits)
    const shares = logits.map((logit) => Math.exp(logit - largest))
    const total = shares.reduce((sum, share) => sum + share, 0)
    found.set(
      shares.map((share) => share / total),
      i * classes
    )
  }
  return { shape: [examples, classes], data: found }
}

const labelsOf = (task: "binary" | "classes", targets: NdArray.NdArray): ArrayLike<number> =>
  task === "binary" ? targets.data : Classification.largest(targets)

const ofClasses = (task: "binary" | "classes", targets: NdArray.NdArray, logits: NdArray.NdArray): OfClasses => {
  const labels = labelsOf(task, targets)
  const found = Classification.largest(logits)
  const shares = probabilities(logits)
  const classes = shares.shape[1]!
  // An answer that is NaN is wrong: as if it were a class that nothing is of.
  const none = found.map((c) => (c < 0 ? classes : c))
  const all = classes + 1
  const counted = Classification.confusionMatrix(labels, none, all)
  const f1OfClasses = Classification.f1(counted).slice(0, classes)
  const column = (c: number) => Array.from({ length: labels.length }, (_, i) => shares.data[i * classes + c]!)
  const against = (c: number) =>
    Classification.rocAuc(
      Array.from(labels, (label) => Number(label === c)),
      column(c)
    )
  const each = Array.from({ length: classes }, (_, c) => against(c))
  return {
    task,
    examples: labels.length,
    accuracy: Classification.accuracy(labels, found),
    balancedAccuracy: Classification.balancedAccuracy(counted),
    f1: classes === 2 ? f1OfClasses[1]! : Classification.macroF1(counted),
    f1OfClasses,
    rocAuc: classes === 2 ? each[1]! : each.reduce((sum, auc) => sum + auc, 0) / classes,
    logLoss: Classification.logLoss(labels, shares),
    confusion: Array.from({ length: classes }, (_, c) => Array.from(counted.data.subarray(c * all, c * all + classes)))
  }
}

const fit = (targets: NdArray.NdArray, outputs: NdArray.NdArray): Fit => ({
  r2: Regression.r2(targets, outputs),
  rootMeanSquaredError: Regression.rootMeanSquaredError(targets, outputs),
  meanAbsoluteError: Regression.meanAbsoluteError(targets, outputs)
})

const column = ({ data, shape }: NdArray.NdArray, k: number): NdArray.NdArray => ({
  shape: [shape[0]!, 1],
  data: Float64Array.from({ length: shape[0]! }, (_, i) => data[i * shape[1]! + k]!)
})

/**
 * What targets and outputs, logits or values, [examples, outputs] each, come to.
 *
 * ```ts
 * import { Metrics, NdArray } from "@rai/core"
 *
 * const targets = NdArray.make([4, 1], [0, 0, 1, 1])
 * const logits = NdArray.make([4, 1], [-2, 0.5, 1, 3])
 * const metrics = Metrics.of("binary", targets, logits)
 * metrics.task === "binary" && metrics.confusion
 * // => [[1, 1], [0, 2]]
 * ```
 */
export const of = (task: Task, targets: NdArray.NdArray, outputs: NdArray.NdArray): Metrics =>
  task === "regression"
    ? {
        task,
        examples: targets.shape[0]!,
        ...fit(targets, outputs),
        ofTargets: Array.from({ length: targets.shape[1]! }, (_, k) => fit(column(targets, k), column(outputs, k)))
      }
    : ofClasses(task, targets, outputs)
