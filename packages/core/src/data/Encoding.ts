/**
 * Preprocessing as a formula on raw columns, so that it can be part of a model: `Preprocessing.encode` on one array of numbers.
 */
import { Effect } from "effect"
import type { Arrays } from "../engine/Engine.ts"
import * as NdArray from "../tensor/NdArray.ts"
import * as Tensor from "../tensor/Tensor.ts"
import type { Cells } from "./Cells.ts"
import * as Names from "./Names.ts"
import * as Preprocessing from "./Preprocessing.ts"

/**
 * Encodes raw columns as numbers, [examples, columns] in float32: NaN where a cell is missing, a category as its index among those of the training
 * part, −1 if it is not among them. Fails where `Preprocessing.encode` does.
 *
 * ```ts
 * import { Encoding, NdArray, type Preprocessing } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const preprocessing: Preprocessing.Preprocessing = {
 *   columns: [
 *     { _tag: "Number", name: "height", mean: 2, scale: 0.5, fill: 1 },
 *     { _tag: "Category", name: "colour", categories: ["blue", "red"] }
 *   ],
 *   unseen: "error"
 * }
 * const columns = [{ name: "colour", texts: ["red", "blue"] }, { name: "height" }]
 * const fresh = { source: "fresh", columns, cells: NdArray.make([2, 2], [0, 3, 1, NaN]) }
 * Array.from(Effect.runSync(Encoding.raw(preprocessing, fresh)).data) // => [3, 1, NaN, 0]
 * ```
 */
export const raw = Effect.fn("Encoding.raw")(function* (of: Preprocessing.Preprocessing, from: Cells) {
  yield* Preprocessing.encode(of, from)
  const [examples = 0, width = 0] = from.cells.shape
  const places = of.columns.map((column) => {
    const at = from.columns.findIndex(({ name }) => name === column.name)
    if (column._tag === "Number") return { at, numberOf: (cell: number) => cell }
    const { numberOf } = Names.known(column.categories)
    const numbers = from.columns[at]!.texts!.map((text) => numberOf(text) ?? -1)
    return { at, numberOf: (cell: number) => numbers[cell] ?? Number.NaN }
  })
  const { data } = from.cells
  return NdArray.make(
    [examples, places.length],
    Array.from({ length: examples }, (_, i) => places.map(({ at, numberOf }) => numberOf(data[i * width + at]!))).flat()
  )
})

/** Constants that `apply` computes with, by name: [columns] each. */
export const constants = ({ columns }: Preprocessing.Preprocessing): Arrays => {
  const each = (number: (of: Preprocessing.Preprocessing["columns"][number]) => number) =>
    NdArray.make([columns.length], columns.map(number))
  const mean = (of: Preprocessing.Preprocessing["columns"][number]) => (of._tag === "Number" ? of.mean : 0)
  return {
    ...(columns.some(({ fill }) => fill !== undefined) && { "preprocessing.fill": each(fillOf) }),
    "preprocessing.mean": each(mean),
    // The mean's rounding error in float32: without it, years around 2000 would lose their last digits.
    "preprocessing.mean.rest": each((of) => mean(of) - Math.fround(mean(of))),
    "preprocessing.scale": each((of) => (of._tag === "Number" ? of.scale : 1))
  }
}

const fillOf = (of: Preprocessing.Preprocessing["columns"][number]): number => {
  if (of.fill === undefined) return Number.NaN
  return of._tag === "Number" ? of.fill : of.categories.indexOf(of.fill)
}

/**
 * Computes what `Preprocessing.encode` does from raw columns x: [batch, columns] → [batch, features], (x − mean) / scale for a number, a 1 in its
 * own column for a category. Where `encode` refuses a missing value or an unseen category, the features of that column are NaN. Raw numbers keep
 * only float32 precision, a relative 6e-8.
 */
export const apply = (
  of: Preprocessing.Preprocessing,
  x: Tensor.Tensor,
  given: Readonly<Record<string, Tensor.Tensor>>
) => {
  const fill = given["preprocessing.fill"]
  const filled = fill === undefined ? x : x.equal(x).where(x, fill)
  return Tensor.concat(
    runs(of).map(({ from, to, categories }) => {
      const columns = filled.slice(1, from, to)
      const own = (name: string) => given[`preprocessing.${name}`]!.slice(0, from, to)
      if (categories === undefined) return columns.sub(own("mean")).sub(own("mean.rest")).div(own("scale"))
      const hot = columns.reshape([x.shape[0]!]).oneHot(categories)
      const isKnown = of.unseen === "error" ? hot.sum([1]).greater(0) : columns.equal(columns)
      return isKnown.where(hot, Tensor.constant(Number.NaN))
    }),
    1
  )
}

interface Run {
  readonly from: number
  readonly to: number
  readonly categories?: number
}

/** Groups adjacent columns of numbers; each categorical column stands alone. */
const runs = ({ columns }: Preprocessing.Preprocessing): ReadonlyArray<Run> => {
  const found: Array<Run> = []
  for (const [at, of] of columns.entries()) {
    const last = found.at(-1)
    const one = { from: at, to: at + 1 }
    if (of._tag === "Category") found.push({ ...one, categories: of.categories.length })
    else if (last === undefined || last.categories !== undefined) found.push(one)
    else found[found.length - 1] = { from: last.from, to: at + 1 }
  }
  return found
}
