/**
 * The elements that an imported network takes: their type, and the rows of a table that they choose, such as one embedding for each token.
 */
import type { NdArray } from "../tensor/NdArray.ts"

/** Elements of an input that are not of float32. */
export interface Elements {
  /** Their type where the network comes from, such as `int64`. */
  readonly type: string
  /** Number of rows of the table that they choose from, which those below 0 count from its end; absent where they choose from none. */
  readonly rows?: number
}

/** Lowest and highest number of each type of whole numbers. */
const ranges: Readonly<Record<string, readonly [number, number]>> = {
  bool: [0, 1],
  uint8: [0, 2 ** 8 - 1],
  int8: [-(2 ** 7), 2 ** 7 - 1],
  uint16: [0, 2 ** 16 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint32: [0, 2 ** 32 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint64: [0, Number.MAX_SAFE_INTEGER],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]
}

/** Lowest and highest of the whole numbers that the elements are; undefined where they are fractions. */
export const range = ({ rows, type }: Elements): readonly [number, number] | undefined => {
  const own = Object.hasOwn(ranges, type) ? ranges[type] : undefined
  if (own === undefined || rows === undefined) return own
  return [Math.max(own[0], -rows), Math.min(own[1], rows - 1)]
}

/** What is wrong with a number in a matrix, counted from 1. */
export interface Unfit {
  readonly row: number
  readonly column: number
  readonly expected: string
  readonly came: string
}

/** The first number of a matrix [examples, inputs] that the elements cannot be; undefined where there is none. */
export const unfit = (elements: Elements, { data, shape }: NdArray): Unfit | undefined => {
  const bounds = range(elements)
  if (bounds === undefined) return undefined
  const [low, high] = bounds
  const at = data.findIndex((x: number) => !(Number.isInteger(x) && x >= low && x <= high))
  if (at < 0) return undefined
  const table = elements.rows === undefined ? "" : `, which choose from a table of ${elements.rows} rows`
  const expected = `whole numbers from ${low} to ${high} for ${elements.type}${table}`
  const inputs = shape[1]!
  return { row: Math.floor(at / inputs) + 1, column: (at % inputs) + 1, expected, came: String(data[at]) }
}
