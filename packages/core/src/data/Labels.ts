/**
 * Converts a label column's texts to targets: two classes, several classes, or values.
 */
import { Effect, Result } from "effect"
import * as Cells from "./Cells.ts"
import { DataInvalid, quote } from "./DataInvalid.ts"
import * as Frame from "./Frame.ts"
import * as Names from "./Names.ts"
import type * as Table from "./Table.ts"
import * as Targets from "./Targets.ts"

/** Labels of a file seen table by table; each distinct text is kept once. */
export interface Tally {
  /** Fails at an empty label and, as `finish` does, once there are too many texts to be classes. */
  readonly add: (table: Table.Table, task?: Targets.Task) => Effect.Effect<void, DataInvalid>
  /** The classes, numbers in numeric order and texts by code unit; fails where the labels cannot be classes, or are too many for the task. */
  readonly finish: (task?: Targets.Task) => Effect.Effect<Names.Names, DataInvalid>
}

/** Converts a table to a frame: two distinct labels make `binary`, more make `classes`, unless `task` says otherwise. */
export const toFrame = Effect.fnUntraced(function* (table: Table.Table, task?: Targets.Task) {
  if (task === "regression") return yield* values(table)
  const found = tally()
  yield* found.add(table, task)
  return yield* classified(table, yield* found.finish(task), task)
})

/** Converts a table to a frame with the given classes, whether or not all occur in it; fails at a label that is not one of them. */
export const classified = Effect.fnUntraced(function* (
  table: Table.Table,
  { names, numberOf }: Names.Names,
  task?: "binary" | "classes"
) {
  const { source, labelName: column } = table
  const labels = new Int32Array(table.labels.length)
  for (const [i, { text, line }] of table.labels.entries()) {
    const label = numberOf(text)
    if (label === undefined) {
      if (text === "") return yield* empty(table, line)
      const expected = `one of the classes ${Names.listed(names)}`
      const advice = `correct the label, or name its class too${Names.orValues(names)}`
      return yield* new DataInvalid({ source, line, column, expected, came: `${quote(text)} came`, advice })
    }
    labels[i] = label
  }
  return Frame.of({ ...cells(table), ...Targets.ofLabels(labels, names, task) })
})

/** Creates an empty tally. */
export const tally = (): Tally => {
  const firstLine = new Map<string, number>()
  let of: Pick<Table.Table, "source" | "labelName" | "dropped"> = { source: "", labelName: "", dropped: 0 }
  const finish = (task?: Targets.Task) => Effect.map(distinct(of, firstLine, task), Names.known)
  return {
    add: Effect.fnUntraced(function* (table, task) {
      of = { ...table, dropped: of.dropped + table.dropped }
      for (const { text, line } of table.labels) {
        if (text === "") return yield* empty(table, line)
        if (!firstLine.has(text)) firstLine.set(text, line)
      }
      if (firstLine.size > 10 * Cells.mostNames) yield* finish(task)
    }),
    finish
  }
}

const distinct = Effect.fnUntraced(function* (
  { source, labelName: column, dropped }: Pick<Table.Table, "source" | "labelName" | "dropped">,
  firstLine: ReadonlyMap<string, number>,
  task?: Targets.Task
) {
  const texts = [...firstLine.keys()]
  const numeric = Names.allNumbers(texts)
  const names = Names.ordered(texts)
  const invalid = (expected: string, came: string, advice: string, line?: number) =>
    new DataInvalid({ source, column, expected, came, advice, ...(line !== undefined && { line }) })

  if (names.length < 2) {
    return yield* new DataInvalid({ source, column, ...Targets.alike(quote(names[0]!), dropped) })
  }
  if (task === "binary" && names.length > 2) {
    const came = `${names.length} came: ${Names.listed(names)}`
    return yield* invalid("two classes for the task binary", came, "leave the task out, or choose classes")
  }
  const fraction = numeric && names.length > 2 ? texts.find((text) => !Number.isInteger(Number(text))) : undefined
  if (fraction !== undefined) {
    const expected = "class labels, texts or whole numbers"
    const advice = "choose the task regression if the column holds values"
    return yield* invalid(expected, `${quote(fraction)} came`, advice, firstLine.get(fraction))
  }
  if (names.length > Cells.mostNames) {
    const advice = "choose another label column, or the task regression if this one holds values"
    return yield* invalid(`at most ${Cells.mostNames} classes`, `${names.length} came`, advice)
  }
  return names
})

const values = Effect.fnUntraced(function* (table: Table.Table) {
  const { source, labelName, labels } = table
  const data = new Float64Array(labels.length)
  for (const [i, { text, line }] of labels.entries()) {
    const parsed = Cells.number(text)
    if (Result.isFailure(parsed)) {
      return yield* new DataInvalid({ source, line, column: labelName, ...parsed.failure })
    }
    data[i] = parsed.success
  }
  const targets = { shape: [labels.length, 1], data }
  return Frame.of({ ...cells(table), targets, task: "regression" })
})

/** Returns the table's input cells. */
export const cells = ({ columns, dropped, labels, numbers, source }: Table.Table): Cells.Cells => ({
  source,
  columns,
  cells: { shape: [labels.length, columns.length], data: Float64Array.from(numbers) },
  lines: labels.map(({ line }) => line),
  ...(dropped > 0 && { dropped })
})

const empty = ({ source, labelName: column }: Table.Table, line: number): DataInvalid =>
  new DataInvalid({
    source,
    line,
    column,
    expected: "a label",
    came: "an empty cell came",
    advice: Cells.noLabel
  })
