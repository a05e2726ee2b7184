/**
 * All metrics of a circuit's outputs, by task: how well classes are told apart, or how well values are predicted.
 */
import type { Task } from "../data/Dataset.ts"
import type * as NdArray from "../tensor/NdArray.ts"
import * as Classification from "./Classification.ts"
import * as Paired from "./Paired.ts"
import * as Regression from "./Regression.ts"

/** Metrics of classification. */
export interface OfClasses {
  readonly task: "binary" | "classes"
  readonly examples: number
  readonly accuracy: number
  readonly balancedAccuracy: number
  /** Of class 1 if there are two classes, else the mean over the classes. */
  readonly f1: number
  /** Per class. */
  readonly f1OfClasses: ReadonlyArray<number>
  /** Of class 1 if there are two classes, else the mean of each class against the others; NaN where a class is missing or an output is NaN. */
  readonly rocAuc: number
  readonly logLoss: number
  /** A row per true class and a column per predicted class. */
  readonly confusion: ReadonlyArray<ReadonlyArray<number>>
}

/** How well values are predicted. */
export interface Fit {
  readonly r2: number
  readonly rootMeanSquaredError: number
  readonly meanAbsoluteError: number
}

/** Metrics of regression; with several targets, each is the mean over them. */
export interface OfValues extends Fit {
  readonly task: "regression"
  readonly examples: number
  readonly ofTargets: ReadonlyArray<Fit>
}

/** Metrics of either task. */
export type Metrics = OfClasses | OfValues

/** Converts logits to probabilities: [examples, classes]; a single logit gives the columns 1 − σ and σ. */
export const probabilities = ({ data, shape }: NdArray.NdArray): NdArray.NdArray => {
  const [examples, outputs] = shape as readonly [number, number]
  const classes = outputs === 1 ? 2 : outputs
  const found = new Float64Array(examples * classes)
  for (let i = 0; i < examples; i++) {
    // A single logit is the second of two, the first being 0.
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
  // A NaN output is wrong: count it as an extra class that no example has.
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
 * Computes the metrics of outputs, logits or values, against targets: [examples, outputs] each. Throws `ShapeMismatch` where the shapes differ.
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
export const of = (task: Task, targets: NdArray.NdArray, outputs: NdArray.NdArray): Metrics => {
  Paired.check("metrics", targets.shape, outputs.shape)
  return task === "regression"
    ? {
        task,
        examples: targets.shape[0]!,
        ...fit(targets, outputs),
        ofTargets: Array.from({ length: targets.shape[1]! }, (_, k) => fit(column(targets, k), column(outputs, k)))
      }
    : ofClasses(task, targets, outputs)
}
