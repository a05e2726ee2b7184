/**
 * Parts of a tensor along one axis, at known indices.
 */
import { Tensor } from "@rai/core"
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

/** Reverses an axis. */
export const reversed = (x: T, axis: number): T => {
  const n = x.shape[axis] as number
  if (n > most) throw new Refused(`it turns ${n} numbers round`)
  return take(
    x,
    axis,
    Array.from({ length: n }, (_, i) => n - 1 - i)
  )
}

/** Moves an axis to the end. */
export const toLast = (x: T, axis: number): T => {
  const others = x.shape.map((_, i) => i).filter((i) => i !== axis)
  return axis === x.shape.length - 1 ? x : x.transpose([...others, axis])
}

/** Moves the last axis to another position. */
export const lastTo = (x: T, axis: number): T => {
  const last = x.shape.length - 1
  const others = Array.from({ length: last }, (_, i) => i)
  return axis === last ? x : x.transpose(others.toSpliced(axis, 0, last))
}
