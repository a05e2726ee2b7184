/**
 * Arrays of numbers in plain memory: what enters an engine and what comes out of it.
 */

/** A dense row-major array; `data.length` is the product of `shape`. */
export interface NdArray {
  readonly shape: ReadonlyArray<number>
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array
}

/** Number of elements of a shape: Π shape; [] holds one. */
export const size = (shape: ReadonlyArray<number>): number => shape.reduce((product, n) => product * n, 1)

/** An array of `shape` filled with one value, float32. */
export const full = (shape: ReadonlyArray<number>, value: number): NdArray => {
  const data = new Float32Array(size(shape))
  // A new array is zero already, and takes no memory as long as nothing is written.
  return { shape, data: Object.is(value, 0) ? data : data.fill(value) }
}

/** The same array in memory of its own. */
export const copy = ({ data, shape }: NdArray): NdArray => ({ shape, data: data.slice() })

/**
 * A float32 array of the given numbers. Numbers that float32 does not hold become others, 16,777,217 one less and 1e39 infinite, of which errors then
 * speak; `{ shape, data: Float64Array.from(numbers) }` keeps them.
 */
export const make = (shape: ReadonlyArray<number>, numbers: Iterable<number>): NdArray => ({
  shape,
  data: Float32Array.from(numbers)
})
