/**
 * Texts that name classes or categories: where all are numbers, 1, 01 and 1.0 are one name.
 */
import { Result } from "effect"
import * as Cells from "./Cells.ts"
import { quote } from "./DataInvalid.ts"

/** Names in order, and the number of the one that a text stands for. */
export interface Names {
  readonly names: ReadonlyArray<string>
  readonly numberOf: (text: string) => number | undefined
}

/** Names that are known. */
export const known = (names: ReadonlyArray<string>): Names => {
  const nameOf = naming(names)
  const numbers = new Map(names.map((name, i) => [nameOf(name), i]))
  return { names, numberOf: (text) => numbers.get(text) ?? numbers.get(nameOf(text)) }
}

/** The names of these texts, each once: numbers by size, texts by code unit. */
export const ordered = (texts: ReadonlyArray<string>): ReadonlyArray<string> => {
  const names = [...new Set(texts.map(naming(texts)))]
  return names.sort(allNumbers(texts) ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : 1))
}

/** Whether every text is a number. */
export const allNumbers = (texts: ReadonlyArray<string>): boolean => texts.every(isNumber)

/** So many classes that are numbers may be values that were meant. */
const fewClasses = 10

/** What an advice adds where classes may be values: nothing, or the task that these want. */
export const orValues = (names: ReadonlyArray<string>): string =>
  names.length > fewClasses && allNumbers(names) ? ", or choose the task regression for values" : ""

/** The first of them, for a message. */
export const listed = (names: ReadonlyArray<string>): string =>
  `${names.slice(0, 5).map(quote).join(", ")}${names.length > 5 ? ", …" : ""}`

const isNumber = (text: string): boolean => Result.isSuccess(Cells.number(text))

/** How a text is written as one of these names: where all are numbers, as a number is. */
const naming = (texts: ReadonlyArray<string>) => {
  const numeric = allNumbers(texts)
  return (text: string): string => (numeric && isNumber(text) ? String(Number(text)) : text)
}
