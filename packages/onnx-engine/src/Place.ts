/**
 * Where arrays lie in the memory that threads share; threads load this file, so it loads nothing itself.
 */

/** What arrays hold: numbers as float32, whole numbers as the runtime has them, truth values as bytes. */
export type Kind = "float32" | "int64" | "bool"

const views = { float32: Float32Array, int64: BigInt64Array, bool: Uint8Array }

/** An array's place in the memory, plain data. */
export interface Place {
  readonly kind: Kind
  readonly shape: ReadonlyArray<number>
  readonly address: number
}

const size = (shape: ReadonlyArray<number>): number => shape.reduce((product, n) => product * n, 1)

/** Bytes of a place. */
export const bytes = ({ kind, shape }: Place): number => size(shape) * views[kind].BYTES_PER_ELEMENT

/** The part of a place that begins `offset` elements after it. */
export const part = (place: Place, offset: number, shape: ReadonlyArray<number>): Place => ({
  kind: place.kind,
  shape,
  address: place.address + offset * views[place.kind].BYTES_PER_ELEMENT
})

/** The numbers at a place. */
export const view = (buffer: ArrayBufferLike, { address, kind, shape }: Place) =>
  new views[kind](buffer as ArrayBuffer, address, size(shape))
