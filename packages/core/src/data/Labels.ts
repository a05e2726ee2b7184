/**
 * A label column's texts as targets: two classes, several classes, or values.
 */
import { Effect, Result } from "effect"
import type { NdArray } from "../tensor/NdArray.ts"
import { DataInvalid, quote } from "./DataInvalid.ts"
import * as Dataset from "./Dataset.ts"
import * as Table from "./Table.ts"

/** Classes in order, and the number of the one that a label's text names. */
export interface Classes {
  readonly names: ReadonlyArray<string>
  readonly numberOf: (text: string) => number | undefined
}

/** The labels of a file seen table by table; it keeps each text once. */
export interface Tally {
  /** Fails at an empty label, and as `finish` does once the texts are too many to be classes. */
  readonly add: (table: Table.Table, task?: Dataset.Task) => Effect.Effect<void, DataInvalid>
  /** The classes, numbers by size and texts by code unit; fails where they are none, or too many for the task. */
  readonly finish: (task?: Dataset.Task) => Effect.Effect<Classes, DataInvalid>
}

/** More classes than this are a column of values or of keys, not of classes. */
const mostClasses = 1000

/** The table as a data set: two distinct labels make `binary`, more make `classes`, unless `task` says otherwise. */
export const toDataset = Effect.fnUntraced(function* (table: Table.Table, task?: Dataset.Task) {
  if (task === "regression") return yield* values(table)
  const found = tally()
  yield* found.add(table, task)
  return yield* classified(table, yield* found.finish(task), task)
})

/** The table as a data set with all of the classes, in it or not; fails at a label that is none of them. */
export const classified = Effect.fnUntraced(function* (
  table: Table.Table,
  { names, numberOf }: Classes,
  task?: "binary" | "classes"
) {
  const { source, inputNames, labelName: column, labels: cells } = table
  const labels = new Int32Array(cells.length)
  for (const [i, { text, line }] of cells.entries()) {
    const label = numberOf(text)
    if (label === undefined) {
      if (text === "") return yield* empty(table, line)
      const expected = `one of the classes ${listed(names)}`
      const advice = "correct the label, or name its class too"
      return yield* new DataInvalid({ source, line, column, expected, came: `${quote(text)} came`, advice })
    }
    labels[i] = label
  }
  const inputs = inputsOf(table)
  return yield* Dataset.labelled({ inputs, labels, inputNames, classNames: names, source, ...(task && { task }) })
})

/** Classes whose names are known; where all are numbers, 1, 01 and 1.0 are one class. */
export const known = (names: ReadonlyArray<string>): Classes => {
  const nameOf = naming(names)
  const numbers = new Map(names.map((name, i) => [nameOf(name), i]))
  return { names, numberOf: (text) => numbers.get(text) ?? numbers.get(nameOf(text)) }
}

/** A tally with no label in it. */
export const tally = (): Tally => {
  const firstLine = new Map<string, number>()
  let of: Pick<Table.Table, "source" | "labelName"> = { source: "", labelName: "" }
  const finish = (task?: Dataset.Task) => Effect.map(distinct(of, firstLine, task), known)
  return {
    add: Effect.fnUntraced(function* (table, task) {
      of = table
      for (const { text, line } of table.labels) {
        if (text === "") return yield* empty(table, line)
        if (!firstLine.has(text)) firstLine.set(text, line)
      }
      if (firstLine.size > 10 * mostClasses) yield* finish(task)
    }),
    finish
  }
}

const distinct = Effect.fnUntraced(function* (
  { source, labelName: column }: Pick<Table.Table, "source" | "labelName">,
  firstLine: ReadonlyMap<string, number>,
  task?: Dataset.Task
) {
  const texts = [...firstLine.keys()]
  const numeric = allNumbers(texts)
  const names = [...new Set(texts.map(naming(texts)))]
  names.sort(numeric ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : 1))
  const invalid = (expected: string, came: string, advice: string, line?: number) =>
    new DataInvalid({ source, column, expected, came, advice, ...(line !== undefined && { line }) })

  if (names.length < 2) {
    const came = `every label is ${quote(names[0]!)}`
    return yield* invalid("at least two classes", came, "add examples of another class")
  }
  if (task === "binary" && names.length > 2) {
    const came = `${names.length} came: ${listed(names)}`
    return yield* invalid("two classes for the task binary", came, "leave the task out, or choose classes")
  }
  const fraction = numeric && names.length > 2 ? texts.find((text) => !Number.isInteger(Number(text))) : undefined
  if (fraction !== undefined) {
    const expected = "class labels, texts or whole numbers"
    const advice = "choose the task regression if the column holds values"
    return yield* invalid(expected, `${quote(fraction)} came`, advice, firstLine.get(fraction))
  }
  if (names.length > mostClasses) {
    const advice = "choose another label column, or the task regression if this one holds values"
    return yield* invalid(`at most ${mostClasses} classes`, `${names.length} came`, advice)
  }
  return names
})

const values = Effect.fnUntraced(function* (table: Table.Table) {
  const { source, inputNames, labelName, labels } = table
  const data = new Float64Array(labels.length)
  for (const [i, { text, line }] of labels.entries()) {
    const parsed = Table.number(text)
    if (Result.isFailure(parsed)) {
      return yield* new DataInvalid({ source, line, column: labelName, ...parsed.failure })
    }
    data[i] = parsed.success
  }
  const targets = { shape: [labels.length, 1], data }
  return yield* Dataset.make({ inputs: inputsOf(table), targets, task: "regression", inputNames }, source)
})

const inputsOf = ({ labels, inputNames, numbers }: Table.Table): NdArray => ({
  shape: [labels.length, inputNames.length],
  data: Float64Array.from(numbers)
})

const isNumber = (text: string): boolean => Result.isSuccess(Table.number(text))

const allNumbers = (texts: ReadonlyArray<string>): boolean => texts.every(isNumber)

/** How a text is written as the name of a class of these: where all are numbers, as a number is. */
const naming = (texts: ReadonlyArray<string>) => {
  const numeric = allNumbers(texts)
  return (text: string): string => (numeric && isNumber(text) ? String(Number(text)) : text)
}

const listed = (names: ReadonlyArray<string>): string =>
  `${names.slice(0, 5).map(quote).join(", ")}${names.length > 5 ? ", …" : ""}`

const empty = ({ source, labelName: column }: Table.Table, line: number): DataInvalid => {
  const advice = "fill the cell or remove the line"
  return new DataInvalid({ source, line, column, expected: "a label", came: "an empty cell came", advice })
}
