/**
 * The inputs on which a model is held against its circuit.
 */
import { NdArray, Pseudorandom } from "@rai/core"

/** At most so many of the given examples. */
const most = 64

/**
 * Random points: so many, within so many times the range. Rounding grows with the inputs, so at a thousandfold a float32 answer near zero
 * would be noise on any engine.
 */
const draws = [
  { count: 64, reach: 1 },
  { count: 32, reach: 10 }
]

/**
 * Up to 64 of the `given` examples, then seeded random points within their range ([-3, 3] without examples), and far outside it:
 * [samples, inputs], at least 96.
 */
export const make = (
  inputs: number,
  options: { readonly given?: NdArray.NdArray | undefined; readonly seed: number }
): NdArray.NdArray => {
  const examples = rows(options.given, inputs)
  const stride = Math.max(1, examples.length / most)
  const chosen = Array.from({ length: Math.min(most, examples.length) }, (_, i) => examples[Math.floor(i * stride)]!)
  const ranges = Array.from({ length: inputs }, (_, column) => range(examples.map((row) => row[column]!)))
  const { uniform } = Pseudorandom.make(options.seed)
  const random = draws.flatMap(({ count, reach }) =>
    Array.from({ length: count }, () =>
      ranges.map(({ centre, radius }) => uniform(centre - reach * radius, centre + reach * radius))
    )
  )
  const numbers = [...chosen, ...random].flat()
  return NdArray.make([numbers.length / inputs, inputs], numbers)
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
