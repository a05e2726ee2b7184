/**
 * Examples to learn from: inputs and targets as dense arrays, one row per example.
 */
import { Effect, Function, Pipeable } from "effect"
import type * as NdArray from "../tensor/NdArray.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import * as Batches from "./Batches.ts"
import { DataInvalid, quote } from "./DataInvalid.ts"
import type { Preprocessing } from "./Preprocessing.ts"
import * as Strata from "./Strata.ts"
import * as Targets from "./Targets.ts"

export type { Task } from "./Targets.ts"

/** The parts of a data set. */
export interface Parts extends Targets.Targets {
  /** [examples, features] */
  readonly inputs: NdArray.NdArray
  /** One name per feature. */
  readonly inputNames: ReadonlyArray<string>
  /** The preprocessing that made the inputs from raw columns, if any; it is kept with what is trained on them. */
  readonly preprocessing?: Preprocessing
}

/** An immutable data set in which every number is finite. */
export interface Dataset extends Parts, Pipeable.Pipeable {}

/** Training examples, and test examples that training never sees. */
export interface Split extends Strata.Two<Dataset> {}

/** Data for training, for selection (validation) and for evaluation (test). */
export interface Division extends Strata.Three<Dataset> {}

/** Options of `split`. */
export type SplitOptions = Strata.Options

/** Options of `divide`. */
export type Shares = Strata.Shares

const of = (parts: Parts): Dataset => Object.assign(Object.create(Pipeable.Prototype), parts)

/**
 * Creates a data set from its parts; fails where shapes do not match, a number is not finite, or a target does not suit the task.
 *
 * ```ts
 * import { Dataset, NdArray } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const data = Effect.runSync(Dataset.make({
 *   inputs: NdArray.make([4, 2], [0, 0, 0, 1, 1, 0, 1, 1]),
 *   targets: NdArray.make([4, 1], [0, 1, 1, 0]),
 *   task: "binary",
 *   inputNames: ["a", "b"],
 *   classNames: ["equal", "different"]
 * }))
 * Dataset.examples(data) // => 4
 * ```
 */
export const make = Effect.fn("Dataset.make")(function* (parts: Parts, source: string = "data set") {
  const { inputs, targets, task, inputNames, classNames } = parts
  const invalid = (expected: string, came: string, advice: string) =>
    new DataInvalid({ source, expected, came, advice })
  const [rows = 0, features = 0] = inputs.shape
  if (inputs.shape.length !== 2 || rows < 1 || features < 1 || inputs.data.length !== rows * features) {
    const came = `${inputs.data.length} numbers of shape [${inputs.shape.join(",")}] came`
    return yield* invalid("inputs of shape [examples, features], both at least 1", came, "give one row an example")
  }
  const outputs = targets.shape[1] ?? 0
  const fits = task === "binary" ? outputs === 1 : task === "classes" ? outputs >= 2 : outputs >= 1
  if (targets.shape.length !== 2 || targets.shape[0] !== rows || !fits || targets.data.length !== rows * outputs) {
    const width = task === "binary" ? "1" : task === "classes" ? "classes" : "outputs"
    const came = `${targets.data.length} numbers of shape [${targets.shape.join(",")}] came`
    return yield* invalid(`targets of shape [${rows},${width}] for the task ${task}`, came, "give one row an example")
  }
  if (inputNames.length !== features || new Set(inputNames).size !== features) {
    const came = `${inputNames.map(quote).join(", ") || "none"} came`
    return yield* invalid(`${features} different input names`, came, "name each feature once")
  }
  const classes = task === "binary" ? 2 : outputs
  const areDistinct = classNames?.length === classes && new Set(classNames).size === classes
  if (classNames !== undefined && (task === "regression" || !areDistinct)) {
    const expected =
      task === "regression" ? "no class names for the task regression" : `${classes} different class names`
    return yield* invalid(expected, `${classNames.map(quote).join(", ") || "none"} came`, "name each class once")
  }
  const infinite = inputs.data.findIndex((value) => !Number.isFinite(value))
  if (infinite >= 0) {
    const place = `${inputs.data[infinite]} came in example ${Math.floor(infinite / features) + 1}, feature ${quote(inputNames[infinite % features]!)}`
    return yield* invalid("finite inputs", place, "replace the number or leave the example out")
  }
  for (let row = 0; row < rows; row++) {
    const target = targets.data.subarray(row * outputs, (row + 1) * outputs)
    if (isTarget(task, target)) continue
    const expected = { binary: "targets 0 or 1", classes: "one-hot targets", regression: "finite targets" }[task]
    return yield* invalid(expected, `${target.join(", ")} came in example ${row + 1}`, "change the target or the task")
  }
  return of(parts)
})

const isTarget = (task: Targets.Task, target: ArrayLike<number>): boolean => {
  let ones = 0
  let zeros = 0
  for (let i = 0; i < target.length; i++) {
    if (!Number.isFinite(target[i])) return false
    if (target[i] === 1) ones++
    if (target[i] === 0) zeros++
  }
  return task === "regression" || (ones + zeros === target.length && (task === "binary" || ones === 1))
}

/**
 * Creates a data set from class numbers 0 … k − 1, one per example: two classes make the task `binary`, more make it `classes`, unless `task` says
 * `classes` for two.
 */
export const labelled = (options: {
  readonly inputs: NdArray.NdArray
  readonly labels: ArrayLike<number>
  readonly inputNames: ReadonlyArray<string>
  readonly classNames: ReadonlyArray<string>
  readonly task?: "binary" | "classes"
  readonly source?: string
}): Effect.Effect<Dataset, DataInvalid> => {
  const { inputs, labels, inputNames, classNames, source = "data set", task } = options
  const wrong = Array.from(labels).findIndex((label) => classNames[label] === undefined)
  if (wrong >= 0) {
    const expected = `whole class numbers from 0, below ${classNames.length}`
    const came = `${labels[wrong]} came in example ${wrong + 1}`
    return Effect.fail(new DataInvalid({ source, expected, came, advice: "correct the label, or name its class too" }))
  }
  if (classNames.length < 2) {
    const came = `${classNames.map(quote).join("") || "none"} came`
    const advice = "name both classes, or add examples of another"
    return Effect.fail(new DataInvalid({ source, expected: "two class names or more", came, advice }))
  }
  return make({ inputs, inputNames, ...Targets.ofLabels(labels, classNames, task) }, source)
}

/** Number of examples. */
export const examples = (data: Dataset): number => data.inputs.shape[0]!

/** Number of features, the input width of a circuit. */
export const features = (data: Dataset): number => data.inputs.shape[1]!

/** Number of targets per example, the output width of a circuit. */
export const outputs = (data: Dataset): number => data.targets.shape[1]!

/** Returns the class number of each example; all 0 for `regression`. */
export const labels = (data: Dataset): Int32Array => Targets.labels(data)

/** Selects the examples at `indices`, in that order. Throws `ShapeMismatch` where there are none, or one is not in [0, examples). */
export const select: {
  (indices: ArrayLike<number>): (data: Dataset) => Dataset
  (data: Dataset, indices: ArrayLike<number>): Dataset
} = Function.dual(2, (data: Dataset, indices: ArrayLike<number>) => {
  const last = examples(data) - 1
  const wrong = Array.from(indices).find((index) => !(Number.isInteger(index) && index >= 0 && index <= last))
  if (wrong !== undefined || indices.length === 0) {
    const [expected, came] = [`indices of examples, from 0 to ${last}`, wrong === undefined ? "none" : String(wrong)]
    throw new ShapeMismatch({ operation: "select", expected, came, advice: "select from the examples that there are" })
  }
  return of({ ...data, inputs: Batches.rows(data.inputs, indices), targets: Batches.rows(data.targets, indices) })
})

/**
 * Holds out a share of the examples, stratified by class: round(share · n_c) of class c, at least one and not all. Both parts keep the original
 * order. Split `train` again for validation data. Fails where the share is not between 0 and 1, or where a class has fewer than two examples, since
 * each part needs one.
 *
 * ```ts
 * import { Dataset, Moons } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const { train, test } = Effect.runSync(Moons.make().pipe(Effect.flatMap(Dataset.split({ share: 0.2 }))))
 * Dataset.examples(train) // => 80
 * Dataset.examples(test) // => 20
 * ```
 */
export const split: {
  (options: SplitOptions): (data: Dataset) => Effect.Effect<Split, DataInvalid>
  (data: Dataset, options: SplitOptions): Effect.Effect<Split, DataInvalid>
} = Function.dual(2, (data: Dataset, options: SplitOptions) => Strata.two(data, options, select))

/**
 * Divides examples into training, selection (validation) and evaluation (test), stratified by class as in `split`; both shares are fractions of all
 * examples.
 *
 * ```ts
 * import { Dataset, Moons } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const parts = Effect.runSync(Moons.make().pipe(Effect.flatMap(Dataset.divide({ validation: 0.2, test: 0.2 }))))
 * Object.values(parts).map(Dataset.examples) // => [60, 20, 20]
 * ```
 */
export const divide: {
  (shares: Shares): (data: Dataset) => Effect.Effect<Division, DataInvalid>
  (data: Dataset, shares: Shares): Effect.Effect<Division, DataInvalid>
} = Function.dual(2, (data: Dataset, shares: Shares) => Strata.three(data, shares, select))
