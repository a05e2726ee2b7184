/**
 * Targets from an array of labels: classes that are whole numbers, or values.
 */
import { Effect } from "effect"
import { type NdArray, size } from "../tensor/NdArray.ts"
import * as Batches from "./Batches.ts"
import * as Cells from "./Cells.ts"
import { DataInvalid } from "./DataInvalid.ts"
import * as Names from "./Names.ts"
import * as Targets from "./Targets.ts"

/** What the labels are, where it is known. */
export interface Options {
  readonly task?: Targets.Task | undefined
  readonly classNames?: ReadonlyArray<string> | undefined
}

/** Targets of all examples; one of `gaps`, which are left out, has those of another, so that its own play no part. */
export const targets = Effect.fnUntraced(function* (
  source: string,
  given: NdArray,
  { classNames, task }: Options,
  gaps: ReadonlySet<number>
) {
  const [examples = 1, ...inner] = given.shape
  const outputs = size(inner)
  const invalid = (expected: string, came: string, advice: string) =>
    new DataInvalid({ source, expected, came, advice })
  if (inner.length > 1 || (outputs > 1 && task !== "regression")) {
    const advice = inner.length > 1 ? "give one row an example" : "choose the task regression if these are values"
    return yield* invalid("one label an example", `[${given.shape.join(",")}] came`, advice)
  }
  if (gaps.size === examples) {
    return yield* invalid("an example that is whole", "each has a missing value", Targets.ratherThanDrop)
  }
  const { data } = gaps.size === 0 ? given : relabelled(given, gaps)
  const odd = data.findIndex((value) => !(task === "regression" ? Number.isFinite(value) : Number.isInteger(value)))
  if (odd >= 0) {
    const came = `${data[odd]} came in example ${Math.floor(odd / outputs) + 1}`
    return task === "regression"
      ? yield* invalid("finite values", came, "replace it or leave the example out")
      : yield* invalid("whole numbers as class labels", came, "choose the task regression if these are values")
  }
  if (task === "regression") {
    const values: Targets.Targets = { targets: { shape: [examples, outputs], data }, task }
    return values
  }
  const inexact = data.findIndex((value) => !Number.isSafeInteger(value))
  if (inexact >= 0) {
    const expected = "class labels within ±(2^53 − 1), beyond which several are the same number"
    const advice = "number the classes from 0, or give the labels in a CSV file, as texts"
    return yield* invalid(expected, `${data[inexact]} came in example ${inexact + 1}`, advice)
  }
  if (classNames !== undefined) {
    const { names, numberOf } = Names.known(classNames)
    const labels = Array.from(data, (value) => numberOf(String(value)))
    const stranger = labels.indexOf(undefined)
    if (stranger < 0) return Targets.ofLabels(labels as ReadonlyArray<number>, names, task)
    const came = `${data[stranger]} came in example ${stranger + 1}`
    return yield* invalid(
      `one of the classes ${Names.listed(names)}`,
      came,
      "correct the label, or leave the example out"
    )
  }
  const classes = [...new Set(data)].sort((a, b) => a - b)
  if (classes.length < 2) {
    return yield* new DataInvalid({ source, ...Targets.alike(String(classes[0]), gaps.size) })
  }
  if (task === "binary" && classes.length > 2) {
    const came = `${classes.length} came: ${Names.listed(classes.map(String))}`
    return yield* invalid("two classes for the task binary", came, "leave the task out, or choose classes")
  }
  if (classes.length > Cells.mostNames) {
    const advice = "choose the task regression if these are values"
    return yield* invalid(`at most ${Cells.mostNames} classes`, `${classes.length} came`, advice)
  }
  const numbers = new Map(classes.map((name, i) => [name, i]))
  const labels = Int32Array.from(data, (value) => numbers.get(value)!)
  return Targets.ofLabels(labels, classes.map(String), task)
})

const relabelled = (labels: NdArray, gaps: ReadonlySet<number>): NdArray => {
  const all = Array.from({ length: labels.shape[0]! }, (_, i) => i)
  const other = all.find((i) => !gaps.has(i))!
  return Batches.rows(
    labels,
    all.map((i) => (gaps.has(i) ? other : i))
  )
}
