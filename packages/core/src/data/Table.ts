/**
 * Records of a CSV file becoming columns: the first record is the header, every later one an example.
 */
import { Option, Result } from "effect"
import { DataInvalid, quote } from "./DataInvalid.ts"

/** Numbers row by row, and the label's cells beside them. */
export interface Table {
  readonly source: string
  readonly inputNames: ReadonlyArray<string>
  readonly labelName: string
  /** rows · inputNames.length numbers. */
  readonly numbers: ReadonlyArray<number>
  readonly labels: ReadonlyArray<Cell>
}

/** A cell's text and the line that it ends on. */
export interface Cell {
  readonly text: string
  readonly line: number
}

/** Takes records one at a time, and holds the table that they make. */
export interface Builder {
  /** Adds a record; gives what is wrong with it, if anything is. */
  readonly add: (record: ReadonlyArray<string>, line: number) => Option.Option<DataInvalid>
  /** The tables of `most` rows that have filled since it was last asked; the builder keeps none of them. */
  readonly drain: () => ReadonlyArray<Table>
  /** The rows that fill no table of `most`, once all records are added; fails where the file had no row at all. */
  readonly finish: () => Result.Result<Table, DataInvalid>
}

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const notFinite = /^[+-]?(?:nan|na|n\/a|null|none|inf|infinity)$/i

/** The number that a cell holds, in decimal notation, finite; or what came instead and what to do. */
export const number = (text: string): Result.Result<number, Pick<DataInvalid, "expected" | "came" | "advice">> => {
  const value = decimal.test(text) ? Number(text) : Number.NaN
  if (Number.isFinite(value)) return Result.succeed(value)
  const fill = "fill the cell or remove the line"
  if (text === "") return Result.fail({ expected: "a number", came: "an empty cell came", advice: fill })
  const came = `${quote(text)} came`
  return notFinite.test(text) || decimal.test(text)
    ? Result.fail({ expected: "a finite number", came, advice: fill })
    : Result.fail({ expected: "a number", came, advice: "write a number, or remove the column" })
}

/** A builder for the records of `source`; the label is the column `label`, or the last one; a table takes `most` rows, or all. */
export const builder = (source: string, label?: string, most = Number.POSITIVE_INFINITY): Builder => {
  let header: ReadonlyArray<string> | undefined
  let labelIndex = -1
  let rows = 0
  let numbers: Array<number> = []
  let labels: Array<Cell> = []
  let full: Array<Table> = []

  const take = (names: ReadonlyArray<string>): Table => {
    const inputNames = names.filter((_, i) => i !== labelIndex)
    const table = { source, inputNames, labelName: names[labelIndex]!, numbers, labels }
    numbers = []
    labels = []
    return table
  }

  const addHeader = (record: ReadonlyArray<string>, line: number): Option.Option<DataInvalid> => {
    header = record
    labelIndex = label === undefined ? record.length - 1 : record.indexOf(label)
    const invalid = (expected: string, came: string, advice: string) =>
      Option.some(new DataInvalid({ source, line, expected, came, advice }))
    const listed = record.map(quote).join(", ")
    const unnamed = record.indexOf("")
    if (unnamed >= 0) {
      return invalid("a name for each column", `column ${unnamed + 1} has none`, "name the column or remove it")
    }
    const twice = record.find((name, i) => record.indexOf(name) !== i)
    if (twice !== undefined) {
      return invalid("a different name for each column", `${quote(twice)} came twice`, "rename one of the two")
    }
    if (record.every((name) => decimal.test(name))) {
      return invalid(
        "a header with the names of the columns",
        `the numbers ${listed} came`,
        "add a header as the first line"
      )
    }
    if (labelIndex < 0) {
      return invalid(
        `a label column ${quote(label ?? "")}`,
        `the columns are ${listed}`,
        "name one of these as the label"
      )
    }
    if (record.length < 2) {
      return invalid("input columns and a label column", `only ${listed} came`, "separate the columns by commas")
    }
    return Option.none()
  }

  return {
    add: (record, line) => {
      if (header === undefined) return addHeader(record, line)
      if (record.length !== header.length) {
        const expected = `${header.length} cells, one for each column of the header`
        const advice = "add or remove cells, and put quotes around a cell that holds a comma"
        return Option.some(new DataInvalid({ source, line, expected, came: `${record.length} came`, advice }))
      }
      for (let i = 0; i < record.length; i++) {
        if (i === labelIndex) continue
        const parsed = number(record[i]!)
        if (Result.isFailure(parsed)) {
          return Option.some(new DataInvalid({ source, line, column: header[i]!, ...parsed.failure }))
        }
        numbers.push(parsed.success)
      }
      labels.push({ text: record[labelIndex]!, line })
      rows++
      if (labels.length >= most) full.push(take(header))
      return Option.none()
    },
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
        return Result.fail(new DataInvalid({ source, expected, came: "no rows came", advice: "add rows to the file" }))
      }
      return Result.succeed(take(header))
    }
  }
}
