/**
 * Input columns as read from a file: numbers with gaps, and the texts of categories.
 */
import { Option, Result } from "effect"
import type { NdArray } from "../tensor/NdArray.ts"
import { DataInvalid, quote } from "./DataInvalid.ts"

/** A column of numbers, or, if it has texts, of categories. */
export interface Column {
  readonly name: string
  /** The distinct texts; a cell holds the index of its own. */
  readonly texts?: ReadonlyArray<string>
}

/** Input cells as read, before anything is learned from them. */
export interface Cells {
  /** Where they come from, as shown in errors. */
  readonly source: string
  readonly columns: ReadonlyArray<Column>
  /** A number, or the index of the cell's text in its column; NaN where missing; [examples, columns]. */
  readonly cells: NdArray
  /** The line of each example, if they come from lines. */
  readonly lines?: ArrayLike<number>
  /** How many examples were left out on reading for a missing value. */
  readonly dropped?: number
}

/** Treatment of missing values: reject them, leave out their examples, or fill them with the training part's mean or median. */
export type Missing = "error" | "drop" | "mean" | "median"

/** A column with more classes or categories than this must hold values or keys. */
export const mostNames = 1000

/** Texts that pandas reads as a missing value. */
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

/** Whether a cell's text counts as a missing value, as in pandas: empty, or one of eighteen words such as NA and nan. */
export const isGap = (text: string): boolean => gaps.has(text)

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const notFinite = /^[+-]?(?:nan|na|n\/a|null|none|inf|infinity)$/i

/** Whether a text is a number in decimal notation, even one too large to be finite. */
export const isDecimal = (text: string): boolean => decimal.test(text)

type Refusal = Pick<DataInvalid, "expected" | "came" | "advice">

/** Advice for a cell without a number: where it is missing, and where it holds text. */
interface Advice {
  readonly gap: string
  readonly text: string
}

const fill = "fill the cell or remove the line"

/** Advice for a label that is missing. */
export const noLabel = "fill the cell, remove the line, or train with drop for missing values"

const ofLabels: Advice = { gap: noLabel, text: "write a number, or leave the task regression out" }

const ofInputs: Advice = {
  gap: "fill the cell, remove the line, or train with mean or median for missing values",
  text: "write a number, or train without the column or with it as categorical"
}

/** Parses a cell as a finite number in decimal notation; fails with what came instead and what to do. */
export const number = (text: string, advice = ofLabels): Result.Result<number, Refusal> => {
  const value = decimal.test(text) ? Number(text) : Number.NaN
  if (Number.isFinite(Math.fround(value))) return Result.succeed(value)
  if (text === "") return Result.fail({ expected: "a number", came: "an empty cell came", advice: advice.gap })
  const came = `${quote(text)} came`
  if (isGap(text)) return Result.fail({ expected: "a finite number", came, advice: advice.gap })
  if (decimal.test(text)) {
    const expected = "a number within ±3.4e38, as float32 holds"
    return Result.fail({ expected, came, advice: "write the column in a larger unit, or remove the line" })
  }
  return notFinite.test(text)
    ? Result.fail({ expected: "a finite number", came, advice: fill })
    : Result.fail({ expected: "a number", came, advice: advice.text })
}

/** Position of a column in a record and, for a categorical column, its texts so far. */
export interface Place {
  readonly name: string
  readonly at: number
  readonly texts?: Map<string, number>
}

/** Returns the places of columns in records; those named in `categorical` hold categories. */
export const places = (
  columns: ReadonlyArray<{ readonly name: string; readonly at: number }>,
  categorical: ReadonlyArray<string> = []
): ReadonlyArray<Place> =>
  columns.map((column) => (categorical.includes(column.name) ? { ...column, texts: new Map() } : column))

/** Returns the columns at these places, with the texts seen so far. */
export const columns = (of: ReadonlyArray<Place>): ReadonlyArray<Column> =>
  of.map(({ name, texts }) => (texts === undefined ? { name } : { name, texts: [...texts.keys()] }))

/** Adds a record's cells to `into`, NaN for a missing one where that is allowed; returns what is wrong with them, if anything. */
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

/** Reports the first of these names that a header has twice. */
export const twice = (
  source: string,
  line: number,
  names: ReadonlyArray<string>,
  header: ReadonlyArray<string>
): Option.Option<DataInvalid> => {
  const name = names.find((name) => header.indexOf(name) !== header.lastIndexOf(name))
  if (name === undefined) return Option.none()
  const [expected, came] = ["a different name for each column", `${quote(name)} came twice`]
  return Option.some(new DataInvalid({ source, line, expected, came, advice: "rename one of the two" }))
}

/** Reports the first input that a header lacks. */
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
