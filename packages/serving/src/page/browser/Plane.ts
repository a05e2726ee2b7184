/**
 * The plane of two inputs: which part is shown, how its answers become colours, and the line between the classes.
 */
import type { Signature, Tensor } from "./Request.ts"
import * as Viridis from "./Viridis.ts"

/** The range of an axis. */
export interface Range {
  readonly low: number
  readonly high: number
}

/** The one input of a model that takes rows of two numbers; undefined for any other model. */
export const inputOf = ({ inputs }: Signature): Tensor | undefined => {
  const [input] = inputs
  const fits = input?.shape.length === 2 && input.shape[0] === -1 && input.shape[1] === 2
  return inputs.length === 1 && fits && /^FP(32|64)$/.test(input.datatype) ? input : undefined
}

/** The outputs with numbers for each row, probabilities first. */
export const outputsOf = ({ outputs }: Signature): ReadonlyArray<Tensor> => {
  const isProbability = ({ name }: Tensor) => /prob/i.test(name)
  return outputs
    .filter(({ datatype, shape }) => /^(FP(32|64)|U?INT\d+)$/.test(datatype) && shape.length > 0 && shape.length <= 2)
    .toSorted((a, b) => Number(isProbability(b)) - Number(isProbability(a)))
}

/** The centre of a cell, of n along the axis. */
export const centre = ({ low, high }: Range, n: number, cell: number): number =>
  Number((low + ((cell + 0.5) / n) * (high - low)).toPrecision(7))

/** The centres of n × n cells, row-major, lowest second input first: the data of an input of shape [n², 2]. */
export const grid = (across: Range, up: Range, n: number): ReadonlyArray<number> =>
  Array.from({ length: n * n }, (_, i) => [centre(across, n, i % n), centre(up, n, Math.floor(i / n))]).flat()

/** One column of an output's data. */
export const column = (data: ReadonlyArray<unknown>, rows: number, at: number): Float64Array => {
  const columns = data.length / rows
  return Float64Array.from({ length: rows }, (_, row) => Number(data[row * columns + at]))
}

/** The range of the colours: 0 to 1 where no value lies outside, as with probabilities; else from the lowest to the highest. */
export const scale = (values: Float64Array): Range => {
  const finite = values.filter(Number.isFinite)
  const low = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  const high = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  return finite.length === 0 || (low >= 0 && high <= 1) ? { low: 0, high: 1 } : { low, high }
}

/** Red, green, blue and opacity of n × n values, highest second input first, as in a picture; NaN is left transparent. */
export const pixels = (values: Float64Array, n: number, { low, high }: Range): Uint8ClampedArray<ArrayBuffer> => {
  const colours = new Uint8ClampedArray(4 * n * n)
  for (const [i, value] of values.entries()) {
    if (Number.isNaN(value)) continue
    const at = 3 * Viridis.at((value - low) / (high - low || 1))
    const pixel = 4 * ((n - 1 - Math.floor(i / n)) * n + (i % n))
    colours.set([...Viridis.table.subarray(at, at + 3), 255], pixel)
  }
  return colours
}

/** Where the values cross a level, as a path over a picture of n × n: marching squares between the cells' centres. */
export const boundary = (values: Float64Array, n: number, level: number): string => {
  const value = (x: number, y: number) => values[y * n + x]! - level
  const corners = [
    [0, 0],
    [1, 0],
    [1, 1],
    [0, 1]
  ] as const
  const lines: Array<string> = []
  for (let y = 0; y + 1 < n; y++) {
    for (let x = 0; x + 1 < n; x++) {
      const crossings = corners.flatMap(([ax, ay], i) => {
        const [bx, by] = corners[(i + 1) % 4]!
        const [a, b] = [value(x + ax, y + ay), value(x + bx, y + by)]
        if (a < 0 === b < 0 || !Number.isFinite(a - b)) return []
        const t = a / (a - b)
        const [px, py] = [x + ax + t * (bx - ax) + 0.5, n - (y + ay + t * (by - ay) + 0.5)]
        return [`${px.toFixed(2)} ${py.toFixed(2)}`]
      })
      for (let i = 0; i + 1 < crossings.length; i += 2) lines.push(`M${crossings[i]}L${crossings[i + 1]}`)
    }
  }
  return lines.join("")
}
