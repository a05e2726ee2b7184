/**
 * Parts of a tensor along one axis, at known indices.
 */
import { Tensor } from "@rai/core"
import { filled } from "./Call.ts"
import { Refused } from "./Refused.ts"

type T = Tensor.Tensor

/** Most pieces that are written out one by one. */
export const most = 4096

/** Elements at `indices` along an axis; consecutive indices make one slice. */
export const take = (x: T, axis: number, indices: ReadonlyArray<number>): T => {
  const pieces: Array<{ readonly start: number; end: number }> = []
  for (const index of indices) {
    const last = pieces.at(-1)
    if (last?.end === index) last.end++
    else pieces.push({ start: index, end: index + 1 })
  }
  if (pieces.length > most) throw new Refused(`it takes ${pieces.length} pieces of an axis`)
  return Tensor.concat(
    pieces.map(({ end, start }) => x.slice(axis, start, end)),
    axis
  )
}

/** The indices from one number up to, but not including, another. */
export const indexes = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: to - from }, (_, i) => from + i)

/** Reverses an axis. */
export const reversed = (x: T, axis: number): T => {
  const n = x.shape[axis] as number
  if (n > most) throw new Refused(`it turns ${n} numbers round`)
  return take(x, axis, indexes(0, n).toReversed())
}

/** Moves an axis to the end. */
export const toLast = (x: T, axis: number): T =>
  axis === x.shape.length - 1 ? x : x.transpose([...without(x, axis), axis])

/** Moves an axis to the front. */
export const toFirst = (x: T, axis: number): T => (axis === 0 ? x : x.transpose([axis, ...without(x, axis)]))

/** All axes but one. */
const without = (x: T, axis: number): ReadonlyArray<number> => indexes(0, x.shape.length).filter((i) => i !== axis)

/** Moves the last axis to another position. */
export const lastTo = (x: T, axis: number): T => {
  const last = x.shape.length - 1
  return axis === last ? x : x.transpose(indexes(0, last).toSpliced(axis, 0, last))
}

/** Indices along an axis of length n as they count from its beginning; negative ones count from its end. */
export const fromBeginning = (index: T, n: number): T =>
  filled(0, index.shape).greater(index).where(index.add(n), index)
