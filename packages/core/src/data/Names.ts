/**
 * Names of classes or categories, as they are written: 007 stays 007, so that what is predicted can be found again. But if all are numbers, then 1,
 * 01 and 1.0 are the same name; where a file holds several of these, all of its names are written as numbers usually are. Integers beyond 2^53, such
 * as long keys, are several to a number, and so are names as they are written.
 */
import { Result } from "effect"
import * as Cells from "./Cells.ts"
import { quote } from "./DataInvalid.ts"

/** Names in order, and the index of the name that a text stands for. */
export interface Names {
  readonly names: ReadonlyArray<string>
  readonly numberOf: (text: string) => number | undefined
}

/** Creates `Names` from a known list. */
export const known = (names: ReadonlyArray<string>): Names => {
  const numberIn = numbering(names)
  const texts = new Map(names.map((name, i) => [name, i]))
  const numbers = new Map(names.map((name, i) => [numberIn(name), i]))
  return { names, numberOf: (text) => texts.get(text) ?? numbers.get(numberIn(text)) }
}

/** Returns the distinct names of these texts: numbers in numeric order, texts by code unit. */
export const ordered = (texts: ReadonlyArray<string>): ReadonlyArray<string> => {
  const written = [...new Set(texts)]
  const numbers = [...new Set(written.map(numbering(texts)))]
  const names = numbers.length === written.length ? written : numbers
  const byText = (a: string, b: string) => (a < b ? -1 : 1)
  return names.sort(allNumbers(texts) ? (a, b) => Number(a) - Number(b) || byText(a, b) : byText)
}

/** Whether every text is a number. */
export const allNumbers = (texts: ReadonlyArray<string>): boolean => texts.every(isNumber)

/** More numeric classes than this may be values for a regression. */
const fewClasses = 10

/** Returns a suggestion to append to advice where classes may be values; empty otherwise. */
export const orValues = (names: ReadonlyArray<string>): string =>
  names.length > fewClasses && allNumbers(names) ? ", or choose the task regression for values" : ""

/** Lists the first five names for a message. */
export const listed = (names: ReadonlyArray<string>): string =>
  `${names.slice(0, 5).map(quote).join(", ")}${names.length > 5 ? ", …" : ""}`

const isNumber = (text: string): boolean => Result.isSuccess(Cells.number(text))

const isExact = (value: number): boolean => !Number.isInteger(value) || Number.isSafeInteger(value)

/** Returns a function that gives texts for one name the same text: their number, if all of these are numbers. */
const numbering = (texts: ReadonlyArray<string>) => {
  const numeric = allNumbers(texts)
  return (text: string): string => (numeric && isNumber(text) && isExact(Number(text)) ? String(Number(text)) : text)
}
