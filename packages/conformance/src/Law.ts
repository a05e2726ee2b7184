/**
 * The law that every engine keeps: |a − b| ≤ tolerance · (1 + |b|), NaN equal to NaN, infinities by sign, shapes as the program says.
 */
import type { NdArray } from "@rai/core"

/** Whether `came` equals `expected` within the tolerance. */
export const agrees = (came: number, expected: number, tolerance: number): boolean =>
  Object.is(came, expected) ||
  came === expected ||
  (Number.isFinite(expected) && Math.abs(came - expected) <= tolerance * (1 + Math.abs(expected)))

/** Describes where and how an array breaks the law; undefined if it keeps it. */
export const broken = (
  came: NdArray.NdArray | undefined,
  expected: NdArray.NdArray,
  shape: ReadonlyArray<number>,
  tolerance: number
): string | undefined => {
  if (came === undefined) return "expected an array, but none came"
  if (came.shape.join() !== shape.join()) return `expected the shape [${shape}], but [${came.shape}] came`
  if (came.data.length !== expected.data.length) {
    return `expected ${expected.data.length} numbers, but ${came.data.length} came`
  }
  const at = came.data.findIndex((number: number, i: number) => !agrees(number, expected.data[i]!, tolerance))
  return at < 0
    ? undefined
    : `expected ${expected.data[at]} ± ${tolerance} (1 + |b|) at ${at} of [${shape}], but ${came.data[at]} came`
}

/** Returns the largest |a − b| / (1 + |b|) of two arrays; infinite where one is not finite and the other differs from it. */
export const difference = (came: NdArray.NdArray, expected: NdArray.NdArray): number =>
  Array.from(came.data).reduce((worst, a, i) => {
    const b = expected.data[i]!
    if (Object.is(a, b) || a === b) return worst
    const distance = Math.abs(a - b) / (1 + Math.abs(b))
    return Number.isFinite(distance) ? Math.max(worst, distance) : Number.POSITIVE_INFINITY
  }, 0)
