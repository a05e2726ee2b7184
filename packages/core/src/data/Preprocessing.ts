/**
 * Preprocessing of raw columns, learned from the training part and stored with the trained circuit: missing values filled, numbers standardised,
 * categories one-hot encoded.
 */
import { Effect } from "effect"
import type { Preprocessing } from "../schema/Preprocessing.ts"
import type { NdArray } from "../tensor/NdArray.ts"
import type { Cells, Column, Missing } from "./Cells.ts"
import { DataInvalid, quote } from "./DataInvalid.ts"
import * as Moments from "./Moments.ts"
import * as Names from "./Names.ts"

export type { Preprocessing }

/** Rules for what is learned. */
export interface Rules {
  /**
   * `error`, the default, rejects missing values; `drop` leaves out their examples on reading; `mean` and `median` fill numbers with the training
   * part's mean or median, and categories with its most frequent one.
   */
  readonly missing?: Missing | undefined
  /** Whether numbers are scaled to mean 0 and deviation 1 on the training part; a constant column becomes zeros. */
  readonly standardise?: boolean | undefined
  /** Treatment of a category that the training part lacks: `error`, the default, or `zeros` in all of its columns. */
  readonly unseen?: "error" | "zeros" | undefined
}

/** Preprocessing being learned from examples that arrive part by part. */
export interface Fitting {
  readonly add: (part: Cells) => Effect.Effect<void, DataInvalid>
  readonly finish: Effect.Effect<Preprocessing, DataInvalid>
}

/**
 * Learns the preprocessing that the rules ask for, from these examples alone: numbers are standardised and filled as by scikit-learn's
 * `StandardScaler` and `SimpleImputer`, categories are ordered as classes are. Fails at a missing value that no rule allows, and at a column with
 * no values at all.
 *
 * ```ts
 * import { Frame, NdArray, Preprocessing } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const colours = { name: "colour", texts: ["red", "blue"] }
 * const columns = [{ name: "height" }, colours]
 * const train = { source: "train", columns, cells: NdArray.make([3, 2], [1, 0, NaN, 1, 3, 1]) }
 * const preprocessing = Effect.runSync(Preprocessing.fit(train, { missing: "mean" }))
 * preprocessing.columns.map((column) => column.fill) // => [2, "blue"]
 * Preprocessing.features(preprocessing) // => ["height", "colour=blue", "colour=red"]
 *
 * const fresh = { source: "fresh", columns, cells: NdArray.make([1, 2], [5, NaN]) }
 * Array.from(Effect.runSync(Preprocessing.encode(preprocessing, fresh)).data) // => [5, 1, 0]
 * ```
 */
export const fit = Effect.fn("Preprocessing.fit")(function* (train: Cells, rules: Rules = {}) {
  const learning = fitting(rules)
  yield* learning.add(train)
  return yield* learning.finish
})

/** Learns part by part in constant memory; fails for `median`, which needs all examples at once. */
export const inParts = (source: string, rules: Rules): Effect.Effect<Fitting, DataInvalid> => {
  if (rules.missing !== "median") return Effect.succeed(fitting(rules))
  const expected = "a rule that needs no more than a part of the data at a time"
  const advice = "choose mean, or read the data at once"
  return Effect.fail(new DataInvalid({ source, setting: "missing", expected, came: "median came", advice }))
}

const fitting = (rules: Rules): Fitting => {
  const fills = rules.missing === "mean" || rules.missing === "median"
  const looks = fills || rules.standardise === true
  let first: Cells | undefined
  let numbers: ReadonlyArray<Moments.Tally> = []
  let categories: ReadonlyArray<Map<string, number>> = []
  return {
    add: Effect.fnUntraced(function* (part) {
      if (first === undefined) {
        first = part
        numbers = part.columns.map(() => Moments.tally(rules.missing === "median"))
        categories = part.columns.map(() => new Map())
      }
      const gap = fills ? -1 : part.cells.data.findIndex(Number.isNaN)
      if (gap >= 0) return yield* missing(part, gap)
      const width = part.columns.length
      for (const [at, { texts }] of part.columns.entries()) {
        if (texts !== undefined) count(categories[at]!, part.cells, at, width, texts)
        else if (looks) numbers[at]!.add(part.cells, at)
      }
    }),
    finish: Effect.gen(function* () {
      const columns: Array<Preprocessing["columns"][number]> = []
      for (const [at, { name, texts }] of (first?.columns ?? []).entries()) {
        const [values, seen] = [numbers[at]!, categories[at]!]
        if (texts === undefined && !looks) {
          columns.push({ _tag: "Number", name, mean: 0, scale: 1 })
          continue
        }
        if ((texts === undefined ? values.examples() : seen.size) === 0) {
          return yield* unlearnable(first!.source, name, "all of them are missing")
        }
        const found = texts === undefined ? numberColumn(name, values, rules, fills) : categoryColumn(name, seen, fills)
        columns.push(found)
      }
      const preprocessing: Preprocessing = { columns, unseen: rules.unseen ?? "error" }
      return preprocessing
    })
  }
}

const count = (
  into: Map<string, number>,
  { data }: NdArray,
  at: number,
  width: number,
  texts: ReadonlyArray<string>
) => {
  const counts = new Float64Array(texts.length)
  for (let i = at; i < data.length; i += width) if (!Number.isNaN(data[i])) counts[data[i]!]!++
  counts.forEach((n, i) => {
    if (n > 0) into.set(texts[i]!, (into.get(texts[i]!) ?? 0) + n)
  })
}

const numberColumn = (name: string, seen: Moments.Tally, { missing, standardise }: Rules, fills: boolean) => {
  const fill = missing === "median" ? seen.median() : seen.mean()
  const { mean, variance } = standardise === true ? seen.moments(fill) : { mean: 0, variance: 1 }
  return { _tag: "Number" as const, name, mean, scale: Math.sqrt(variance) || 1, ...(fills && { fill }) }
}

const categoryColumn = (name: string, seen: ReadonlyMap<string, number>, fills: boolean) => {
  const { names, numberOf } = Names.known(Names.ordered([...seen.keys()]))
  const counts = names.map(() => 0)
  for (const [text, n] of seen) counts[numberOf(text)!]! += n
  const fill = names[counts.indexOf(Math.max(...counts))]! // the first of equally frequent ones, as in scikit-learn
  return { _tag: "Category" as const, name, categories: names, ...(fills && { fill }) }
}

/** Returns the options for reading raw cells: which columns hold categories, and whether values may be missing. */
export const reading = (
  columns: Preprocessing["columns"]
): Pick<Rules, "missing"> & { readonly categorical: ReadonlyArray<string> } => ({
  categorical: columns.flatMap((column) => (column._tag === "Category" ? [column.name] : [])),
  missing: columns.some(({ fill }) => fill !== undefined) ? "mean" : "error"
})

/** Whether the preprocessing leaves every column unchanged. */
export const isIdentity = ({ columns }: Preprocessing): boolean =>
  columns.every((of) => of._tag === "Number" && of.mean === 0 && of.scale === 1 && of.fill === undefined)

/** Returns the names of the resulting inputs: a number keeps its column's name, a category becomes `column=category`. */
export const features = ({ columns }: Preprocessing): ReadonlyArray<string> =>
  columns.flatMap((of) =>
    of._tag === "Number" ? [of.name] : of.categories.map((category) => `${of.name}=${category}`)
  )

/**
 * Encodes raw columns as inputs [examples, features]; columns are found by name, others are ignored. Fails, with the place, at a missing value or
 * an unseen category that the preprocessing does not allow.
 */
export const encode = Effect.fn("Preprocessing.encode")(function* (preprocessing: Preprocessing, raw: Cells) {
  const { cells, columns, source } = raw
  const [examples = 0, width = 0] = cells.shape
  if (isIdentity(preprocessing) && areAll(preprocessing, columns)) {
    const gap = cells.data.findIndex(Number.isNaN)
    return gap < 0 ? cells : yield* missing(raw, gap)
  }
  const total = preprocessing.columns.reduce((n, of) => n + (of._tag === "Number" ? 1 : of.categories.length), 0)
  const into =
    cells.data instanceof Float32Array ? new Float32Array(examples * total) : new Float64Array(examples * total)
  let to = 0
  for (const of of preprocessing.columns) {
    const at = columns.findIndex(({ name }) => name === of.name)
    const came = columns[at]
    if (came === undefined || (came.texts === undefined) !== (of._tag === "Number")) {
      const expected = `a column ${quote(of.name)} of ${of._tag === "Number" ? "numbers" : "categories"}`
      const shown = columns.slice(0, 5).map(({ name, texts }) => `${quote(name)}${texts ? " (categories)" : ""}`)
      const listed = `${shown.join(", ")}${columns.length > 5 ? ", …" : ""}`
      return yield* new DataInvalid({
        source,
        expected,
        came: `the columns are ${listed}`,
        advice: "read it as the training data were"
      })
    }
    if (of._tag === "Number") {
      for (let i = 0; i < examples; i++) {
        const cell = cells.data[i * width + at]!
        const value = Number.isNaN(cell) ? of.fill : cell
        if (value === undefined) return yield* missing(raw, i * width + at)
        into[i * total + to] = (value - of.mean) / of.scale
      }
      to++
      continue
    }
    const { numberOf } = Names.known(of.categories)
    const numbers = came.texts!.map((text) => numberOf(text) ?? -1)
    const fill = of.fill === undefined ? undefined : numberOf(of.fill)
    for (let i = 0; i < examples; i++) {
      const cell = cells.data[i * width + at]!
      const category = Number.isNaN(cell) ? fill : numbers[cell]!
      if (category === undefined) return yield* missing(raw, i * width + at)
      if (category >= 0) into[i * total + to + category] = 1
      else if (preprocessing.unseen === "error") return yield* unseen(raw, i, came, came.texts![cell]!, of.categories)
    }
    to += of.categories.length
  }
  const encoded: NdArray = { shape: [examples, total], data: into }
  return encoded
})

const areAll = (of: Preprocessing, columns: ReadonlyArray<Column>): boolean =>
  of.columns.length === columns.length &&
  columns.every(({ name, texts }, i) => texts === undefined && name === of.columns[i]!.name)

const placed = ({ lines, source }: Cells, example: number) =>
  lines === undefined ? { source, where: ` in example ${example + 1}` } : { source, line: lines[example]!, where: "" }

const missing = (of: Cells, cell: number): DataInvalid => {
  const width = of.columns.length
  const { where, ...place } = placed(of, Math.floor(cell / width))
  const column = of.columns[cell % width]!
  return new DataInvalid({
    ...place,
    column: column.name,
    expected: column.texts === undefined ? "a number" : "a category",
    came: `none came${where}`,
    advice: "fill it, leave the example out, or train with mean or median for missing values"
  })
}

const unseen = (
  of: Cells,
  example: number,
  { name }: Column,
  text: string,
  categories: ReadonlyArray<string>
): DataInvalid => {
  const { where, ...place } = placed(of, example)
  return new DataInvalid({
    ...place,
    column: name,
    expected: `a category of the training data, ${Names.listed(categories)}`,
    came: `${quote(text)} came${where}`,
    advice: "correct it, train on examples of it, or train with zeros for unseen categories"
  })
}

const unlearnable = (source: string, column: string, why: string): DataInvalid =>
  new DataInvalid({
    source,
    column,
    expected: "values to learn from",
    came: `${why} in the training data`,
    advice: "remove the column"
  })
