/**
 * Input columns as a file gives them: numbers with gaps, and the texts of categories.
 */
import { Option, Result } from "effect"
import type { NdArray } from "../tensor/NdArray.ts"
import { DataInvalid, quote } from "./DataInvalid.ts"

/** A column of numbers, or of categories where it has texts. */
export interface Column {
  readonly name: string
  /** The texts that came, each once; a cell holds the number of its own. */
  readonly texts?: ReadonlyArray<string>
}

/** Input cells as they were read, before anything is learned from them. */
export interface Cells {
  /** Where they come from, as an error says it. */
  readonly source: string
  readonly columns: ReadonlyArray<Column>
  /** A number, or which of its column's texts, NaN where it is missing; [examples, columns]. */
  readonly cells: NdArray
  /** The line of each example, where they come from lines. */
  readonly lines?: ArrayLike<number>
}

/** What is done about missing values: refused, their examples left out, or filled with what the training part says. */
export type Missing = "error" | "drop" | "mean" | "median"

/** More classes or categories than this are a column of values or of keys. */
export const mostNames = 1000

/** What pandas reads as a missing value. */
const gaps = new Set(
  [
    "",
    "#N/A",
    "#N/A N/A",
    "#NA",
    "-1.#IND",
    "-1.#QNAN",
    "-NaN",
    "-nan",
    "1.#IND",
    "1.#QNAN",
    "<NA>",
    "N/A",
    "NA"
  ].concat(["NULL", "NaN", "None", "n/a", "nan", "null"])
)

/** Whether a cell's text stands for a missing value, as pandas decides: empty, or one of eighteen words such as NA and nan. */
export const isGap = (text: string): boolean => gaps.has(text)

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const notFinite = /^[+-]?(?:nan|na|n\/a|null|none|inf|infinity)$/i

/** Whether a text is a number in decimal notation, finite or too large. */
export const isDecimal = (text: string): boolean => decimal.test(text)

type Refusal = Pick<DataInvalid, "expected" | "came" | "advice">

/** What to do about a cell that holds no number: where it is missing, and where it holds a text. */
interface Advice {
  readonly gap: string
  readonly text: string
}

const fill = "fill the cell or remove the line"

const ofLabels: Advice = { gap: fill, text: "write a number, or remove the column" }

const ofInputs: Advice = {
  gap: "fill the cell, remove the line, or choose a rule for missing values",
  text: "write a number, remove the column, or name it as categorical"
}

/** The number that a cell holds, in decimal notation, finite; or what came instead and what to do. */
export const number = (text: string, advice = ofLabels): Result.Result<number, Refusal> => {
  const value = decimal.test(text) ? Number(text) : Number.NaN
  if (Number.isFinite(Math.fround(value))) return Result.succeed(value)
  if (text === "") return Result.fail({ expected: "a number", came: "an empty cell came", advice: advice.gap })
  const came = `${quote(text)} came`
  if (isGap(text)) return Result.fail({ expected: "a finite number", came, advice: advice.gap })
  return notFinite.test(text) || decimal.test(text)
    ? Result.fail({ expected: "a finite number", came, advice: fill })
    : Result.fail({ expected: "a number", came, advice: advice.text })
}

/** Where a column's cells stand in a record, and its texts so far where it is one of categories. */
export interface Place {
  readonly name: string
  readonly at: number
  readonly texts?: Map<string, number>
}

/** The places of columns in records; those named in `categorical` hold categories. */
export const places = (
  columns: ReadonlyArray<{ readonly name: string; readonly at: number }>,
  categorical: ReadonlyArray<string> = []
): ReadonlyArray<Place> =>
  columns.map((column) => (categorical.includes(column.name) ? { ...column, texts: new Map() } : column))

/** The columns at these places, with the texts that have come. */
export const columns = (of: ReadonlyArray<Place>): ReadonlyArray<Column> =>
  of.map(({ name, texts }) => (texts === undefined ? { name } : { name, texts: [...texts.keys()] }))

/** Adds a record's cells to `into`, NaN where one is missing and that is no error; gives what is wrong with them, if anything is. */
export const add = (
  source: string,
  of: ReadonlyArray<Place>,
  missing: Missing,
  record: ReadonlyArray<string>,
  line: number,
  into: Array<number>
): Option.Option<DataInvalid> => {
  for (const { at, name, texts } of of) {
    const text = record[at] ?? ""
    if (missing !== "error" && isGap(text)) {
      into.push(Number.NaN)
      continue
    }
    const read = texts === undefined ? number(text, ofInputs) : asCategory(text, texts)
    if (Result.isFailure(read)) return Option.some(new DataInvalid({ source, line, column: name, ...read.failure }))
    into.push(read.success)
  }
  return Option.none()
}

const asCategory = (text: string, texts: Map<string, number>): Result.Result<number, Refusal> => {
  const came = text === "" ? "an empty cell came" : `${quote(text)} came`
  if (isGap(text)) return Result.fail({ expected: "a category", came, advice: ofInputs.gap })
  const known = texts.get(text)
  if (known !== undefined) return Result.succeed(known)
  if (texts.size === mostNames) {
    const expected = `at most ${mostNames} categories`
    const advice = "remove the column, or do not name it as categorical"
    return Result.fail({ expected, came: `${came} after as many others`, advice })
  }
  texts.set(text, texts.size)
  return Result.succeed(texts.size - 1)
}

/** Names the first input that a header lacks. */
export const absent = (
  source: string,
  line: number,
  inputs: ReadonlyArray<string>,
  header: ReadonlyArray<string>
): Option.Option<DataInvalid> => {
  const missing = inputs.find((name) => !header.includes(name))
  if (missing === undefined) return Option.none()
  const listed = header.map(quote).join(", ")
  const isOne = header.length === 1 && /[;\t|]/.test(header[0]!)
  const came = isOne ? `${listed} is one column` : `the columns are ${listed}`
  const advice = isOne ? "save it with commas between the columns" : "add it, or rename one of these"
  return Option.some(new DataInvalid({ source, line, expected: `an input column ${quote(missing)}`, came, advice }))
}
