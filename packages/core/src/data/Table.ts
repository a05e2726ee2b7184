/**
 * Builds tables from records of a CSV file: the first record is the header, every later one an example.
 */
import { Option, Result } from "effect"
import * as Cells from "./Cells.ts"
import { DataInvalid, quote } from "./DataInvalid.ts"
import * as Names from "./Names.ts"
import { ratherThanDrop, type Task } from "./Targets.ts"

/** Input cells row by row, and the label cells. */
export interface Table {
  readonly source: string
  readonly columns: ReadonlyArray<Cells.Column>
  readonly labelName: string
  /** rows · columns.length cells, see `Cells`. */
  readonly numbers: ReadonlyArray<number>
  readonly labels: ReadonlyArray<Cell>
  /** How many rows among these were left out for a missing value. */
  readonly dropped: number
}

/** A cell's text and the line that it ends on. */
export interface Cell {
  readonly text: string
  readonly line: number
}

/** Takes records one at a time and builds tables from them. */
export interface Builder {
  /** Adds a record; returns what is wrong with it, if anything. */
  readonly add: (record: ReadonlyArray<string>, line: number) => Option.Option<DataInvalid>
  /** Indices of the cells that are read, once the header is known. */
  readonly read: () => ReadonlyArray<number>
  /** Returns the full tables of `perTable` rows since the last call, and forgets them. */
  readonly drain: () => ReadonlyArray<Table>
  /** Returns the remaining rows once all records are added; fails if there was no row at all. */
  readonly finish: () => Result.Result<Table, DataInvalid>
}

/** Options for building a table. */
export interface Options {
  /** The label's column; by default the last one or, where `inputs` is given, the only one that is not an input. */
  readonly label?: string | undefined
  /** Input columns in order, as in training, whatever else the file holds; by default all but the label's. */
  readonly inputs?: ReadonlyArray<string> | undefined
  /** Two distinct labels make `binary` and more make `classes`, unless this says otherwise. */
  readonly task?: Task | undefined
  /** Columns that hold categories; all others hold numbers. */
  readonly categorical?: ReadonlyArray<string> | undefined
  /** `drop` leaves out examples with a missing value, `mean` and `median` keep the gap; `error` by default. */
  readonly missing?: Cells.Missing | undefined
}

/** Whether a first record looks like numbers with a text as their label; names that are whole numbers are usual, as pandas writes them. */
const isExample = (record: ReadonlyArray<string>): boolean =>
  record.filter(Cells.isDecimal).length === record.length - 1 &&
  record.some((name) => Cells.isDecimal(name) && !/^[+-]?\d+$/.test(name))

/** Creates a builder for the records of `source`, with `perTable` rows in each, or all. */
export const builder = (source: string, options: Options = {}, perTable = Number.POSITIVE_INFINITY): Builder => {
  const { categorical = [], inputs, label, missing = "error", task } = options
  let header: ReadonlyArray<string> | undefined
  let places: ReadonlyArray<Cells.Place> = []
  let labelIndex = -1
  let read: ReadonlyArray<number> = []
  let [rows, dropped] = [0, 0]
  let numbers: Array<number> = []
  let labels: Array<Cell> = []
  let full: Array<Table> = []

  const take = (names: ReadonlyArray<string>): Table => {
    const table = { source, columns: Cells.columns(places), labelName: names[labelIndex]!, numbers, labels, dropped }
    numbers = []
    labels = []
    dropped = 0
    return table
  }

  const addHeader = (record: ReadonlyArray<string>, line: number): Option.Option<DataInvalid> => {
    header = record
    const others = record.filter((name) => inputs?.includes(name) === false)
    const own = label ?? (inputs === undefined ? record.at(-1)! : others.length === 1 ? others[0]! : "")
    labelIndex = record.indexOf(own)
    const invalid = (expected: string, came: string, advice: string) =>
      Option.some(new DataInvalid({ source, line, expected, came, advice }))
    const listed = record.map(quote).join(", ")
    const unnamed = record.indexOf("")
    if (unnamed >= 0) {
      return invalid("a name for each column", `column ${unnamed + 1} has none`, "name the column or remove it")
    }
    const expected = "a header with the names of the columns"
    const advice = "add a header as the first line"
    if (record.every(Cells.isDecimal)) return invalid(expected, `the numbers ${listed} came`, advice)
    if (label === undefined && inputs === undefined && isExample(record)) {
      return invalid(expected, `${listed} came`, `${advice}, or name the label's column if this is one`)
    }
    const twice = Cells.twice(source, line, record, record)
    if (Option.isSome(twice)) return twice
    const lacking = Cells.absent(source, line, inputs ?? [], record)
    if (Option.isSome(lacking)) return lacking
    if (label !== undefined && inputs?.includes(label) === true) {
      return invalid("a label column that is no input", `${quote(label)} is one`, "name another as the label")
    }
    if (labelIndex < 0) {
      const isUnlabelled = inputs !== undefined && others.length === 0
      const isSeveral = label?.split(",").every((name) => record.includes(name.trim())) === true
      return invalid(
        label === undefined
          ? `one column beside the inputs ${Names.listed(inputs!)}, the label's`
          : `a label column ${quote(label)}`,
        isUnlabelled ? "each column is an input" : `the columns are ${listed}`,
        isUnlabelled
          ? "add the column of labels, or use rai predict, which needs none"
          : `name one of these as the label${isSeveral ? ", or give several targets as y….npy beside X….npy" : ""}`
      )
    }
    if (record.length < 2) {
      return invalid("input columns and a label column", `only ${listed} came`, "separate the columns by commas")
    }
    places = Cells.places(
      (inputs ?? record).map((name) => ({ name, at: record.indexOf(name) })).filter(({ at }) => at !== labelIndex),
      categorical
    )
    read = [...places.map(({ at }) => at), labelIndex]
    const stray = categorical.find((name) => !places.some((place) => place.name === name))
    if (stray !== undefined) {
      const isLabel = record.indexOf(stray) === labelIndex
      const came = isLabel ? `${quote(stray)} is the label` : `the columns are ${listed}`
      const advice = `name ${isLabel ? "others" : "one of these"} as categorical, or none`
      return invalid(
        isLabel ? "categorical columns among the inputs" : `a categorical input column ${quote(stray)}`,
        came,
        advice
      )
    }
    return Option.none()
  }

  // A word such as None may be a class name.
  const isUnlabelled = (text: string) => (task === "regression" ? Cells.isGap(text) : text === "")

  return {
    add: (record, line) => {
      if (header === undefined) return addHeader(record, line)
      if (record.length !== header.length) {
        const expected = `${header.length} cells, one for each column of the header`
        const advice = "add or remove cells, and put quotes around a cell that holds a comma"
        return Option.some(new DataInvalid({ source, line, expected, came: `${record.length} came`, advice }))
      }
      const label = record[labelIndex]!
      const before = numbers.length
      const refused = Cells.add(source, places, missing, record, line, numbers)
      if (Option.isSome(refused)) return refused
      if (missing === "drop" && (isUnlabelled(label) || numbers.slice(before).some(Number.isNaN))) {
        numbers.length = before
        dropped++
        return Option.none()
      }
      labels.push({ text: label, line })
      rows++
      if (labels.length >= perTable) full.push(take(header))
      return Option.none()
    },
    read: () => read,
    drain: () => {
      const drained = full
      full = []
      return drained
    },
    finish: () => {
      if (header === undefined) {
        const expected = "a header line and examples below it"
        return Result.fail(
          new DataInvalid({ source, expected, came: "the file is empty", advice: "give a file with data" })
        )
      }
      if (rows === 0) {
        const expected = "at least one example below the header"
        const [came, advice] =
          dropped === 0 ? ["no rows came", "add rows to the file"] : ["each has a missing value", ratherThanDrop]
        return Result.fail(new DataInvalid({ source, expected, came, advice }))
      }
      return Result.succeed(take(header))
    }
  }
}
