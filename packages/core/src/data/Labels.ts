/**
 * A label column's texts as targets: two classes, several classes, or values.
 */
import { Effect, Result } from "effect"
import type { NdArray } from "../tensor/NdArray.ts"
import { DataInvalid, quote } from "./DataInvalid.ts"
import * as Dataset from "./Dataset.ts"
import * as Table from "./Table.ts"

/** More classes than this are a column of values or of keys, not of classes. */
const mostClasses = 1000

/** The table as a data set: two distinct labels make `binary`, more make `classes`, unless `task` says otherwise. */
export const toDataset = (table: Table.Table, task?: Dataset.Task): Effect.Effect<Dataset.Dataset, DataInvalid> => {
  const { inputNames, labels, source } = table
  const inputs: NdArray = { shape: [labels.length, inputNames.length], data: Float64Array.from(table.numbers) }
  return task === "regression"
    ? values(table, inputs)
    : Effect.flatMap(classes(table, task), ({ names, numbers }) =>
        Dataset.labelled({ inputs, labels: numbers, inputNames, classNames: names, source, ...(task && { task }) })
      )
}

const values = Effect.fnUntraced(function* ({ source, inputNames, labelName, labels }: Table.Table, inputs: NdArray) {
  const data = new Float64Array(labels.length)
  for (const [i, { text, line }] of labels.entries()) {
    const parsed = Table.number(text)
    if (Result.isFailure(parsed)) {
      return yield* new DataInvalid({ source, line, column: labelName, ...parsed.failure })
    }
    data[i] = parsed.success
  }
  const targets = { shape: [labels.length, 1], data }
  return yield* Dataset.make({ inputs, targets, task: "regression", inputNames }, source)
})

/** The classes' names in order, numbers by size and texts by code unit, and each row's class number. */
const classes = Effect.fnUntraced(function* (table: Table.Table, task?: "binary" | "classes") {
  const { source, labelName: column, labels } = table
  const firstLine = new Map<string, number>()
  for (const { text, line } of labels) {
    if (text === "") {
      const parts = { expected: "a label", came: "an empty cell came", advice: "fill the cell or remove the line" }
      return yield* new DataInvalid({ source, line, column, ...parts })
    }
    if (!firstLine.has(text)) firstLine.set(text, line)
  }
  const numeric = [...firstLine.keys()].every((text) => Result.isSuccess(Table.number(text)))
  const nameOf = (text: string) => (numeric ? String(Number(text)) : text) // 1, 01 and 1.0 are one class
  const names = [...new Set([...firstLine.keys()].map(nameOf))]
  names.sort(numeric ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : 1))
  const invalid = (expected: string, came: string, advice: string, line?: number) =>
    new DataInvalid({ source, column, expected, came, advice, ...(line !== undefined && { line }) })

  if (names.length < 2) {
    const came = `every label is ${quote(names[0]!)}`
    return yield* invalid("at least two classes", came, "add examples of another class")
  }
  if (task === "binary" && names.length > 2) {
    const came = `${names.length} came: ${names.slice(0, 5).map(quote).join(", ")}${names.length > 5 ? ", …" : ""}`
    return yield* invalid("two classes for the task binary", came, "leave the task out, or choose classes")
  }
  const fraction =
    numeric && names.length > 2 ? [...firstLine.keys()].find((text) => !Number.isInteger(Number(text))) : undefined
  if (fraction !== undefined) {
    const expected = "class labels, texts or whole numbers"
    const advice = "choose the task regression if the column holds values"
    return yield* invalid(expected, `${quote(fraction)} came`, advice, firstLine.get(fraction))
  }
  if (names.length > mostClasses) {
    const advice = "choose another label column, or the task regression if this one holds values"
    return yield* invalid(`at most ${mostClasses} classes`, `${names.length} came`, advice)
  }
  const numberOf = new Map(names.map((name, i) => [name, i]))
  const byText = new Map([...firstLine.keys()].map((text) => [text, numberOf.get(nameOf(text))!]))
  return { names, numbers: Int32Array.from(labels, ({ text }) => byText.get(text)!) }
})
