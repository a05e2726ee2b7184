/**
 * The inputs on which a model is compared with its circuit.
 */
import { Elements, NdArray, Pseudorandom } from "@rai/core"

/** Largest number of given examples that `make` takes. */
const most = 64

/**
 * Random points: `count` of them within `reach` times the range. Rounding grows with the inputs, so at a thousandfold a float32 answer near zero
 * would be noise on any engine.
 */
const draws = [
  { count: 64, reach: 1 },
  { count: 32, reach: 10 }
]

/** Most numbers that the samples of `make` hold together, since all of them stand in the record: some twenty megabytes of text. */
const mostNumbers = 2 ** 21

/** How many of so many examples `make` takes, and how many points it draws at each reach: all that its numbers allow, in the same shares. */
const counts = (inputs: number, examples: number) => {
  const wanted = { given: Math.min(most, examples), drawn: draws.map(({ count }) => count) }
  const all = wanted.drawn.reduce((sum, count) => sum + count, wanted.given)
  const share = Math.min(1, mostNumbers / (all * inputs))
  return { given: Math.ceil(share * wanted.given), drawn: wanted.drawn.map((count) => Math.ceil(share * count)) }
}

/** Number of random points of `make`. */
export const random = (inputs: number, examples: number): number =>
  counts(inputs, examples).drawn.reduce((sum, count) => sum + count, 0)

/** What samples are drawn from. */
interface From {
  readonly given?: NdArray.NdArray | undefined
  readonly seed: number
  /** Number of categories of each column; 0 for a numeric one. */
  readonly categories?: ReadonlyArray<number> | undefined
  /** The elements of an imported network's input, where they are not float32. */
  readonly elements?: Elements.Elements | undefined
  /** Largest reach of the random points, as a multiple of the range; 10 by default. */
  readonly reach?: number
  /** Most non-finite points, but for the six of one column and of all of them; no bound by default. */
  readonly most?: number
}

/**
 * Up to 64 of the `given` examples, then seeded random points within their range ([-3, 3] without examples), and far outside it:
 * [samples, inputs], at least 96 where an example has few enough numbers.
 */
export const make = (inputs: number, from: From): NdArray.NdArray => {
  const examples = rows(from.given, inputs)
  const { drawn, given } = counts(inputs, examples.length)
  const stride = Math.max(1, examples.length / given)
  const chosen = Array.from({ length: given }, (_, i) => examples[Math.floor(i * stride)]!)
  const draw = drawing(inputs, examples, from, 0)
  return matrix(inputs, [
    ...chosen,
    ...draws.flatMap(({ reach }, i) => (reach <= (from.reach ?? reach) ? draw(drawn[i]!, reach) : []))
  ])
}

/** All the `given` examples, and random points within their range where they are fewer than `least`. */
export const all = (inputs: number, { least, ...from }: From & { readonly least: number }): NdArray.NdArray => {
  const examples = rows(from.given, inputs)
  return matrix(inputs, [...examples, ...drawing(inputs, examples, from, 1)(Math.max(0, least - examples.length), 1)])
}

/** Most columns that are made non-finite one at a time. */
const mostColumns = 8

/** A random point with NaN, ∞ or −∞ in one column after the other, and in all of them. */
export const notFinite = (inputs: number, from: From): NdArray.NdArray => {
  const columns = Math.min(
    mostColumns,
    inputs,
    Math.max(1, Math.floor((from.most ?? Number.POSITIVE_INFINITY) / 3) - 1)
  )
  const chosen = Array.from({ length: columns }, (_, i) => Math.floor((i * inputs) / columns))
  const [point = []] = drawing(inputs, rows(from.given, inputs), from, 2)(1, 1)
  return matrix(
    inputs,
    [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].flatMap((special) => [
      ...chosen.map((column) => point.map((x, at) => (at === column ? special : x))),
      point.map(() => special)
    ])
  )
}

const matrix = (inputs: number, points: ReadonlyArray<ReadonlyArray<number>>): NdArray.NdArray =>
  NdArray.make([points.length, inputs], points.flat())

/**
 * Draws `count` points within `reach` times the range of the examples, or any category in a column of categories; whole numbers where the circuit
 * takes these, any row of a table that they choose from. `turn` tells draws apart.
 */
const drawing = (
  inputs: number,
  examples: ReadonlyArray<ReadonlyArray<number>>,
  { categories, elements, seed }: From,
  turn: number
) => {
  const ranges = Array.from({ length: inputs }, (_, column) =>
    range(examples.map((row) => row[column]!).filter(Number.isFinite))
  )
  const { uniform } = Pseudorandom.make(seed + turn)
  const whole = elements && Elements.range(elements)
  const any = whole && anyOf(whole, elements?.rows)
  return (count: number, reach: number): ReadonlyArray<ReadonlyArray<number>> =>
    Array.from({ length: count }, () =>
      ranges.map(({ centre, radius }, column) => {
        const known = categories?.[column] ?? 0
        if (known > 0) return Math.floor(uniform(0, known))
        if (any !== undefined) return any[0] + Math.floor(uniform(0, any[1] - any[0] + 1))
        const drawn = uniform(centre - reach * radius, centre + reach * radius)
        return whole === undefined ? drawn : Math.min(whole[1], Math.max(whole[0], Math.round(drawn)))
      })
    )
}

/** Most numbers of a type that are all drawn alike: a byte has so many. */
const few = 256

/** The range that is drawn from whatever the examples are: a table's rows, counted from its beginning, or a type of few numbers. */
const anyOf = ([low, high]: readonly [number, number], rows?: number): readonly [number, number] | undefined => {
  if (rows !== undefined) return [0, high]
  return high - low < few ? [low, high] : undefined
}

/** The rows of a matrix of `width` columns, as plain numbers. */
export const rows = (matrix: NdArray.NdArray | undefined, width: number): ReadonlyArray<ReadonlyArray<number>> => {
  const data = Array.from(matrix?.data ?? [])
  return Array.from({ length: data.length / width }, (_, row) => data.slice(row * width, (row + 1) * width))
}

const range = (values: ReadonlyArray<number>): { readonly centre: number; readonly radius: number } => {
  if (values.length === 0) return { centre: 0, radius: 3 }
  const low = values.reduce((a, b) => Math.min(a, b))
  const high = values.reduce((a, b) => Math.max(a, b))
  return { centre: (low + high) / 2, radius: (high - low) / 2 || 1 }
}
