/**
 * The decision boundary: the contour on which the probability is ½.
 */
import { contours } from "d3-contour"

/** A point in grid units: cell (column, row) has its centre at (column + ½, row + ½). */
export type Point = readonly [number, number]

/**
 * The contour of `values`, n×n row-major, at `level`, each vertex interpolated between the two cell centres on either side. Contours also close
 * around the grid's edge and around NaN cells: those stretches bound no decision, and their vertices, with a number on one side only, are left out.
 */
export const at = (level: number, values: ArrayLike<number>, n: number): ReadonlyArray<ReadonlyArray<Point>> => {
  const value = (column: number, row: number): number =>
    column < 0 || row < 0 || column >= n || row >= n ? Number.NaN : (values[row * n + column] ?? Number.NaN)
  const crossing = (x: number, y: number): Point | undefined => {
    const between = Number.isInteger(x)
      ? [value(x - 1, y - 0.5), value(x, y - 0.5)]
      : [value(x - 0.5, y - 1), value(x - 0.5, y)]
    const [before = Number.NaN, after = Number.NaN] = between
    const share = (level - before) / (after - before) - 0.5
    if (Number.isNaN(share)) return undefined
    return Number.isInteger(x) ? [x + share, y] : [x, y + share]
  }
  const rings = contours().size([n, n]).smooth(false).contour(Array.from(values), level).coordinates.flat()
  return rings.flatMap((ring) => {
    const lines: Array<Array<Point>> = [[]]
    for (const [x = 0, y = 0] of ring) {
      const point = crossing(x, y)
      if (point === undefined) lines.push([])
      else lines.at(-1)?.push(point)
    }
    return lines.filter((line) => line.length > 1)
  })
}
