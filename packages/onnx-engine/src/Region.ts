/**
 * Regions of the memory that threads share, each of which holds an array; threads load this file, so it imports nothing.
 */

/** Element types: floats as float32, integers as the runtime's int64, booleans as bytes. */
export type Kind = "float32" | "int64" | "bool"

const views = { float32: Float32Array, int64: BigInt64Array, bool: Uint8Array }

/** The region of an array, as plain data: its elements follow each other from `address` on. */
export interface Region {
  readonly kind: Kind
  readonly shape: ReadonlyArray<number>
  /** In bytes from the beginning of the memory. */
  readonly address: number
}

const size = (shape: ReadonlyArray<number>): number => shape.reduce((product, n) => product * n, 1)

/** Returns the number of bytes of a region. */
export const bytes = ({ kind, shape }: Region): number => size(shape) * views[kind].BYTES_PER_ELEMENT

/** Returns the region of `shape` that begins at element `offset` of a region, or before it where `offset` is negative. */
export const part = (region: Region, offset: number, shape: ReadonlyArray<number>): Region => ({
  kind: region.kind,
  shape,
  address: region.address + offset * views[region.kind].BYTES_PER_ELEMENT
})

/** Returns a typed array over a region. */
export const view = (buffer: ArrayBufferLike, { address, kind, shape }: Region) =>
  new views[kind](buffer as ArrayBuffer, address, size(shape))
