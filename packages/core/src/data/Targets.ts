/**
 * Targets of examples: classes or values, one row per example.
 */
import type { NdArray } from "../tensor/NdArray.ts"
import type { DataInvalid } from "./DataInvalid.ts"

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

/** What is wrong with labels that are all alike, perhaps because the other classes' examples are among those left out for a missing value. */
export const alike = (label: string, dropped = 0): Pick<DataInvalid, "expected" | "came" | "advice"> => {
  const [expected, came] = ["at least two classes", `every label is ${label}`]
  if (dropped === 0) return { expected, came, advice: "add examples of another class" }
  const left = `${came} where no value is missing (${dropped} ${dropped === 1 ? "example" : "examples"} left out)`
  return { expected, came: left, advice: ratherThanDrop }
}

/** Advice where leaving out examples leaves out too many. */
export const ratherThanDrop = "fill missing values by mean or median, or remove the columns that lack most"

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
