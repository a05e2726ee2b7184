/**
 * Places of arrays in the memory that threads share; threads load this file, so it imports nothing.
 */

/** Element types: floats as float32, integers as the runtime's int64, booleans as bytes. */
export type Kind = "float32" | "int64" | "bool"

const views = { float32: Float32Array, int64: BigInt64Array, bool: Uint8Array }

/** An array's place in memory, as plain data. */
export interface Place {
  readonly kind: Kind
  readonly shape: ReadonlyArray<number>
  readonly address: number
}

const size = (shape: ReadonlyArray<number>): number => shape.reduce((product, n) => product * n, 1)

/** Returns the number of bytes of a place. */
export const bytes = ({ kind, shape }: Place): number => size(shape) * views[kind].BYTES_PER_ELEMENT

/** Returns the part of a place that begins at element `offset`. */
export const part = (place: Place, offset: number, shape: ReadonlyArray<number>): Place => ({
  kind: place.kind,
  shape,
  address: place.address + offset * views[place.kind].BYTES_PER_ELEMENT
})

/** Returns a typed array over a place. */
export const view = (buffer: ArrayBufferLike, { address, kind, shape }: Place) =>
  new views[kind](buffer as ArrayBuffer, address, size(shape))
