/**
 * Tensors: the typed, shaped data that a model takes and returns.
 */

/** The array that holds a tensor of each datatype, row-major; BOOL as 0 and 1, FP16 as its bits, BYTES as strings. */
export interface Memory {
  readonly BOOL: Uint8Array
  readonly UINT8: Uint8Array
  readonly UINT16: Uint16Array
  readonly UINT32: Uint32Array
  readonly UINT64: BigUint64Array
  readonly INT8: Int8Array
  readonly INT16: Int16Array
  readonly INT32: Int32Array
  readonly INT64: BigInt64Array
  readonly FP16: Uint16Array
  readonly FP32: Float32Array
  readonly FP64: Float64Array
  readonly BYTES: ReadonlyArray<string>
}

/** A datatype of the protocol. */
export type Datatype = keyof Memory

/** The element type of a list that `make` turns into a tensor. */
export type Element<D extends Datatype> = D extends "BYTES"
  ? string
  : D extends "INT64" | "UINT64"
    ? bigint
    : D extends "BOOL"
      ? boolean | number
      : number

/** A tensor, with Π shape elements in `data`; for the general `Tensor`, checking `datatype` narrows the type of `data`. */
export type Tensor<D extends Datatype = Datatype> = D extends Datatype
  ? { readonly datatype: D; readonly shape: ReadonlyArray<number>; readonly data: Memory[D] }
  : never

/** How elements of a datatype are stored in memory. */
export interface Row<D extends Datatype> {
  /** Bytes per element; 0 where elements vary in size. */
  readonly bytes: number
  readonly from: (values: ArrayLike<Element<D>>) => Memory[D]
  /** Returns a view of `count` elements in a buffer. */
  readonly view: (buffer: ArrayBuffer, offset: number, count: number) => Memory[D]
  readonly is: (data: unknown) => data is Memory[D]
}

interface TypedArrayConstructor<A, E> {
  readonly BYTES_PER_ELEMENT: number
  readonly from: (values: ArrayLike<E>) => A
  new (buffer: ArrayBuffer, offset: number, count: number): A
}

const typed = <A, E>(Typed: TypedArrayConstructor<A, E>) => ({
  bytes: Typed.BYTES_PER_ELEMENT,
  from: (values: ArrayLike<E>) => Typed.from(values),
  view: (buffer: ArrayBuffer, offset: number, count: number) => new Typed(buffer, offset, count),
  is: (data: unknown): data is A => data instanceof Typed
})

const rows: { readonly [D in Datatype]: Row<D> } = {
  BOOL: { ...typed<Uint8Array, number>(Uint8Array), from: (values) => Uint8Array.from(values, Number) },
  UINT8: typed(Uint8Array),
  UINT16: typed(Uint16Array),
  UINT32: typed(Uint32Array),
  UINT64: typed(BigUint64Array),
  INT8: typed(Int8Array),
  INT16: typed(Int16Array),
  INT32: typed(Int32Array),
  INT64: typed(BigInt64Array),
  FP16: typed(Uint16Array),
  FP32: typed(Float32Array),
  FP64: typed(Float64Array),
  BYTES: {
    bytes: 0,
    from: (values) => Array.from(values),
    view: () => [],
    is: (data): data is ReadonlyArray<string> => Array.isArray(data)
  }
}

/** Returns a datatype's row: its element size and how its memory is made. */
export const row = <D extends Datatype>(datatype: D): Row<D> => rows[datatype]

/** Whether a string names a datatype. */
export const isDatatype = (text: string): text is Datatype => Object.hasOwn(rows, text)

/** Number of elements in a shape, Π shape. */
export const count = (shape: ReadonlyArray<number>): number => shape.reduce((product, size) => product * size, 1)

/**
 * Makes a tensor: memory of the right kind is used as it is, a list is copied into such memory.
 *
 * ```ts
 * import { Tensor } from "@rai/client"
 *
 * Tensor.make("FP32", [1, 2], [0.5, 1]).data // => Float32Array.of(0.5, 1)
 * Tensor.make("BOOL", [2], [true, false]).data // => Uint8Array.of(1, 0)
 * ```
 */
export const make = <D extends Datatype>(
  datatype: D,
  shape: ReadonlyArray<number>,
  values: Memory[D] | ReadonlyArray<Element<D>>
): Tensor<D> => {
  const { from, is } = rows[datatype]
  const data = is(values) ? values : from(values as ReadonlyArray<Element<D>>)
  return { datatype, shape, data } as Tensor<D>
}
