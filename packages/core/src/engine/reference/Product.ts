/**
 * Matrix products in float64, each sum in the order of its terms.
 */

/** Numbers of either precision, read as float64. */
export type Numbers = Float32Array | Float64Array

/** Layout of a matrix: the element (row, column) lies at start + row · rows + column · columns. */
export interface Place {
  readonly data: Numbers
  readonly start: number
  readonly rows: number
  readonly columns: number
}

/** Number of columns that are summed at once. */
const width = 4

/**
 * Writes a b into `result`, row-major from `start`; a: [n, depth], b: [depth, m]. It takes two rows and four columns at a time, since that many sums
 * stay in registers: models of gigabytes are checked against this product.
 */
export const write = (
  a: Place,
  b: Place,
  [n, depth, m]: readonly [number, number, number],
  result: Float64Array,
  start: number
): void => {
  const panel = new Float64Array(depth * width)
  for (let column = 0; column < m; column += width) {
    const some = Math.min(width, m - column)
    for (let k = 0; k < depth; k++) {
      const from = b.start + k * b.rows + column * b.columns
      for (let j = 0; j < some; j++) panel[k * width + j] = b.data[from + j * b.columns]!
    }
    for (let row = 0; row < n; row += 2) {
      // With an odd number of rows, the last one is its own neighbour.
      const neighbour = Math.min(row + 1, n - 1)
      const sums = twoRows(a, row, neighbour, panel, depth)
      for (let j = 0; j < some; j++) {
        result[start + row * m + column + j] = sums[j]!
        result[start + neighbour * m + column + j] = sums[width + j]!
      }
    }
  }
}

const twoRows = (
  { columns, data, rows, start }: Place,
  row: number,
  neighbour: number,
  panel: Float64Array,
  depth: number
): ReadonlyArray<number> => {
  let x0 = 0
  let x1 = 0
  let x2 = 0
  let x3 = 0
  let y0 = 0
  let y1 = 0
  let y2 = 0
  let y3 = 0
  let x = start + row * rows
  let y = start + neighbour * rows
  for (let at = 0; at < depth * width; at += width) {
    const f = data[x]!
    const g = data[y]!
    const b0 = panel[at]!
    const b1 = panel[at + 1]!
    const b2 = panel[at + 2]!
    const b3 = panel[at + 3]!
    x0 += f * b0
    x1 += f * b1
    x2 += f * b2
    x3 += f * b3
    y0 += g * b0
    y1 += g * b1
    y2 += g * b2
    y3 += g * b3
    x += columns
    y += columns
  }
  return [x0, x1, x2, x3, y0, y1, y2, y3]
}
