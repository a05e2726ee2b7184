/**
 * Targets of examples: classes or values, one row per example.
 */
import type { NdArray } from "../tensor/NdArray.ts"

/** What is learned: one of two classes (a logit), one of several classes (logits), or a value. */
export type Task = "binary" | "classes" | "regression"

/** Targets and what they mean. */
export interface Targets {
  /** 0 or 1 in one column for `binary`, one-hot for `classes`, the value for `regression`; [examples, outputs]. */
  readonly targets: NdArray
  readonly task: Task
  /** One name for each class: of 0 and 1 for `binary`, of the columns for `classes`; absent for `regression`. */
  readonly classNames?: ReadonlyArray<string>
}

/** Creates targets from class numbers 0 … k − 1: two classes make `binary` and more make `classes`, unless `task` says `classes` for two. */
export const ofLabels = (
  labels: ArrayLike<number>,
  classNames: ReadonlyArray<string>,
  task: "binary" | "classes" = classNames.length === 2 ? "binary" : "classes"
): Targets => {
  const outputs = task === "binary" ? 1 : classNames.length
  const data = new Float64Array(labels.length * outputs)
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!
    if (task === "binary") data[i] = label
    else if (label >= 0 && label < outputs) data[i * outputs + label] = 1 // otherwise the row stays all zeros, which `Dataset.make` reports
  }
  return { targets: { shape: [labels.length, outputs], data }, task, classNames }
}

/** Returns the class number of each example; all 0 for `regression`. */
export const labels = ({ targets, task }: Targets): Int32Array => {
  const [examples = 0, width = 0] = targets.shape
  const found = new Int32Array(examples)
  if (task === "regression") return found
  targets.data.forEach((target, i) => {
    if (target === 1) found[Math.floor(i / width)] = task === "binary" ? 1 : i % width
  })
  return found
}
