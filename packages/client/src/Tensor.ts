/**
 * Tensors: the typed, shaped data that a model takes and returns.
 */
import { Result } from "effect"
import { ElementInvalid } from "./ClientError.ts"
import * as Half from "./Half.ts"

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
  /** Takes a list of elements, which it copies, or views where the memory is the datatype's; fails at the first that the datatype does not hold. */
  readonly from: (values: ArrayLike<Element<D>>) => Result.Result<Memory[D], ElementInvalid>
  /** Returns a view of `count` elements in a buffer. */
  readonly view: (buffer: ArrayBuffer, offset: number, count: number) => Memory[D]
  readonly is: (data: unknown) => data is Memory[D]
}

/** What a datatype's elements are, and how one is stored; undefined where the datatype does not hold the value. */
interface Elements {
  readonly expected: string
  readonly stored: (value: unknown) => number | bigint | string | undefined
}

const whole = (minimum: number, maximum: number): Elements => ({
  expected: `a whole number from ${minimum} to ${maximum}`,
  stored: (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum ? value : undefined
})

const wholeBig = (minimum: bigint, maximum: bigint): Elements => ({
  expected: `a bigint from ${minimum}n to ${maximum}n`,
  stored: (value) => (typeof value === "bigint" && value >= minimum && value <= maximum ? value : undefined)
})

/** Floating-point numbers up to, and without, the first that would be stored as infinity. */
const floating = (
  largest: string,
  infinite: number,
  stored: (value: number) => number = (value) => value
): Elements => ({
  expected: `a number up to ±${largest}, NaN or an infinity`,
  stored: (value) =>
    typeof value === "number" && (!Number.isFinite(value) || Math.abs(value) < infinite) ? stored(value) : undefined
})

const truth: Elements = {
  expected: "true or false",
  stored: (value) => (value === true || value === 1 ? 1 : value === false || value === 0 ? 0 : undefined)
}

const texts: Elements = {
  expected: "a string",
  stored: (value) => (typeof value === "string" ? value : undefined)
}

const failure = (datatype: Datatype, { expected }: Elements, index: number, value: unknown) => {
  const came =
    typeof value === "bigint" ? `${value}n` : typeof value === "string" ? JSON.stringify(value) : String(value)
  return Result.fail(new ElementInvalid({ datatype, expected, index, came: came.slice(0, 80) }))
}

interface TypedArrayConstructor<A> {
  readonly BYTES_PER_ELEMENT: number
  new (count: number): A
  new (buffer: ArrayBuffer, offset: number, count: number): A
}

const typed = <D extends Exclude<Datatype, "BYTES">>(
  datatype: D,
  Typed: TypedArrayConstructor<Memory[D]>,
  elements: Elements
): Row<D> => ({
  bytes: Typed.BYTES_PER_ELEMENT,
  from: (values) => {
    const data = new Typed(values.length)
    for (let i = 0; i < values.length; i++) {
      const stored = elements.stored(values[i])
      if (stored === undefined) return failure(datatype, elements, i, values[i])
      data[i] = stored as never
    }
    return Result.succeed(data)
  },
  view: (buffer, offset, count) => new Typed(buffer, offset, count),
  is: (data): data is Memory[D] => data instanceof Typed
})

const halves = typed("FP16", Uint16Array, floating("65504", 65_520, Half.bits))

// No instanceof: Node has a Float16Array only from 24, and TypeScript's types do not have it yet.
const isHalves = (values: unknown): values is ArrayBufferView & ArrayLike<number> =>
  Object.prototype.toString.call(values) === "[object Float16Array]"

const rows: { readonly [D in Datatype]: Row<D> } = {
  BOOL: typed("BOOL", Uint8Array, truth),
  UINT8: typed("UINT8", Uint8Array, whole(0, 255)),
  UINT16: typed("UINT16", Uint16Array, whole(0, 65_535)),
  UINT32: typed("UINT32", Uint32Array, whole(0, 4_294_967_295)),
  UINT64: typed("UINT64", BigUint64Array, wholeBig(0n, 2n ** 64n - 1n)),
  INT8: typed("INT8", Int8Array, whole(-128, 127)),
  INT16: typed("INT16", Int16Array, whole(-32_768, 32_767)),
  INT32: typed("INT32", Int32Array, whole(-2_147_483_648, 2_147_483_647)),
  INT64: typed("INT64", BigInt64Array, wholeBig(-(2n ** 63n), 2n ** 63n - 1n)),
  FP16: {
    ...halves,
    from: (values) =>
      isHalves(values)
        ? Result.succeed(new Uint16Array(values.buffer, values.byteOffset, values.length))
        : halves.from(values)
  },
  FP32: typed("FP32", Float32Array, floating("3.4028235e38", 2 ** 128 - 2 ** 103)),
  FP64: typed("FP64", Float64Array, floating("1.7976931348623157e308", Number.POSITIVE_INFINITY)),
  BYTES: {
    bytes: 0,
    from: (values) => {
      const data = Array.from(values)
      const strange = data.findIndex((value) => texts.stored(value) === undefined)
      return strange < 0 ? Result.succeed(data) : failure("BYTES", texts, strange, data[strange])
    },
    view: () => [],
    is: (data): data is ReadonlyArray<string> => Array.isArray(data) && data.every((text) => typeof text === "string")
  }
}

/** Returns a datatype's row: its element size and how its memory is made. */
export const row = <D extends Datatype>(datatype: D): Row<D> => rows[datatype]

/** Whether a string names a datatype. */
export const isDatatype = (text: string): text is Datatype => Object.hasOwn(rows, text)

/** Number of elements in a shape, Π shape. */
export const count = (shape: ReadonlyArray<number>): number => shape.reduce((product, size) => product * size, 1)

/**
 * Makes a tensor: memory of the right kind is used as it is, a list is copied into such memory. Throws `ElementInvalid` at an element that the datatype
 * does not hold. For FP16 a `Uint16Array` holds bits, a `Float16Array` or a list holds numbers.
 *
 * ```ts
 * import { Tensor } from "@rai/client"
 *
 * Tensor.make("FP32", [1, 2], [0.5, 1]).data // => Float32Array.of(0.5, 1)
 * Tensor.make("BOOL", [2], [true, false]).data // => Uint8Array.of(1, 0)
 * Tensor.make("FP16", [2], [1, 2]).data // => Uint16Array.of(0x3c00, 0x4000)
 * ```
 */
export const make = <D extends Datatype>(
  datatype: D,
  shape: ReadonlyArray<number>,
  values: Memory[D] | ArrayLike<Element<D>>
): Tensor<D> => {
  const { from, is } = rows[datatype]
  const data = is(values) ? values : Result.getOrThrow(from(values as ArrayLike<Element<D>>))
  return { datatype, shape, data } as Tensor<D>
}
