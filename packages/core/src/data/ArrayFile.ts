/**
 * Files that hold one array: a header that describes it, then its elements, read as a stream.
 */
import { Effect, type FileSystem, Stream } from "effect"
import type { NdArray } from "../tensor/NdArray.ts"
import { size } from "../tensor/NdArray.ts"
import * as Bytes from "./Bytes.ts"
import { DataInvalid } from "./DataInvalid.ts"

/** Element types: signed, unsigned and floating-point numbers with their size in bytes, and booleans. */
export type Element = "i1" | "i2" | "i4" | "i8" | "u1" | "u2" | "u4" | "u8" | "f4" | "f8" | "b1"

/** Content of a header. */
export interface Header {
  readonly element: Element
  readonly little: boolean
  readonly shape: ReadonlyArray<number>
  /** Whether the first index varies fastest, as in Fortran, instead of the last. */
  readonly fortran: boolean
  /** Number of bytes before the first element. */
  readonly length: number
}

/** What is wrong with a header. */
export type Refusal = Pick<DataInvalid, "expected" | "came" | "advice">

/** A format: its name, and its header parsed from a file's first bytes, or the number of bytes needed if these are too few. */
export interface Format {
  readonly name: string
  readonly header: (bytes: Uint8Array) => Header | Refusal | number
}

/** Largest header and largest row in bytes; beyond these the header must be damaged. */
const [mostHeader, mostRow] = [2 ** 20, 2 ** 30]

const width = (element: Element): number => Number(element[1])

/** Reads the header and the whole array of a file, its elements as float32 if that represents them all, else as float64. */
export const read = Effect.fn("ArrayFile.read")(function* (format: Format, path: string) {
  const parts = yield* Stream.runCollect(rows(format, path, undefined))
  const { header } = parts[0]!
  const [first, ...rest] = parts.map(({ array }) => array.data)
  const data = rest.length === 0 ? first! : joined(parts.map(({ array }) => array.data))
  const array: NdArray = { shape: header.shape, data: header.fortran ? turned(data, header.shape) : data }
  const whole: Rows = { header, array }
  return whole
})

/** Some rows of a file's array, entries along its first axis, with the header. */
export interface Rows {
  readonly header: Header
  readonly array: NdArray
}

/** Reads the array `perPart` rows at a time (about four megabytes by default); an array in Fortran order can only be read whole. */
export const rows = (
  format: Format,
  path: string,
  perPart: number | undefined
): Stream.Stream<Rows, DataInvalid, FileSystem.FileSystem> =>
  Stream.suspend(() => {
    const reader = reading(format, path, perPart)
    return Bytes.stream(path, "data").pipe(
      Stream.mapEffect(reader.add),
      Stream.concat(Stream.fromEffect(reader.finish)),
      Stream.flatMap((found) => Stream.fromIterable(found))
    )
  })

const reading = (format: Format, source: string, given: number | undefined) => {
  let begun: Uint8Array = new Uint8Array(0) // of the header
  let header: Header | undefined
  let [row, perPart, total, taken, filled] = [0, 0, 0, 0, 0] // in bytes, but for perPart
  let part = new Uint8Array(0)
  const fail = (refusal: Refusal) => new DataInvalid({ source, ...refusal })

  const start = (found: Header): DataInvalid | undefined => {
    row = width(found.element) * size(found.shape.slice(1))
    total = row * (found.shape[0] ?? 1)
    if (total === 0) {
      const came = `the header says [${found.shape.join(",")}]`
      return fail({ expected: "at least one element", came, advice: "give a file with data" })
    }
    if (row > mostRow || (given !== undefined && found.fortran)) {
      return row > mostRow
        ? fail({
            expected: `rows of at most ${mostRow} bytes`,
            came: `the header says [${found.shape.join(",")}]`,
            advice: "copy or download the file again"
          })
        : fail({
            expected: "an array in C order where it is read in parts",
            came: "one in Fortran's order came",
            advice: "save it with np.ascontiguousarray"
          })
    }
    perPart = given ?? Math.max(1, Math.floor(2 ** 22 / row))
    header = found
    part = new Uint8Array(Math.min(perPart * row, total))
    return undefined
  }

  const fill = function* (bytes: Uint8Array): Generator<Rows> {
    for (let at = 0; at < bytes.length; ) {
      const some = bytes.subarray(at, at + part.length - filled)
      part.set(some, filled)
      filled += some.length
      taken += some.length
      at += some.length
      if (filled < part.length) return
      const { element, little, shape } = header!
      const array = { shape: [part.length / row, ...shape.slice(1)], data: decode(part, element, little) }
      yield { header: header!, array: shape.length === 0 ? { shape: [], data: array.data } : array }
      part = new Uint8Array(Math.min(perPart * row, total - taken))
      filled = 0
      if (taken === total) return
    }
  }

  return {
    add: Effect.fnUntraced(function* (bytes: Uint8Array) {
      let rest = bytes
      if (header === undefined) {
        begun = joined([begun, bytes]) as Uint8Array
        const found = format.header(begun)
        if (typeof found === "number" && found <= mostHeader) return []
        if (typeof found === "number") {
          return yield* fail({
            expected: `a header of at most ${mostHeader} bytes`,
            came: `one of ${found} came`,
            advice: "copy or download the file again"
          })
        }
        if ("expected" in found) return yield* fail(found)
        const refused = start(found)
        if (refused !== undefined) return yield* refused
        rest = begun.subarray(found.length)
      }
      const before = taken
      const full = [...fill(rest)]
      if (taken - before === rest.length) return full
      return yield* fail({
        expected: `an ${format.name} file of ${header!.length + total} bytes, as [${header!.shape.join(",")}] in its header says`,
        came: "it is longer",
        advice: "copy or download the file again"
      })
    }),
    finish: Effect.suspend(() => {
      const advice = "copy or download the file again"
      if (header === undefined) {
        const needed = format.header(begun)
        const expected = `an ${format.name} file, with a header of at least ${needed} bytes`
        return Effect.fail(fail({ expected, came: `it ends after ${begun.length}`, advice }))
      }
      if (taken === total) return Effect.succeed([])
      const expected = `${header.length + total} bytes, as [${header.shape.join(",")}] in the header says`
      const came = `the file ends after ${header.length + taken}, in row ${Math.floor(taken / row) + 1}`
      return Effect.fail(fail({ expected, came, advice }))
    })
  }
}

const decode = (bytes: Uint8Array, element: Element, little: boolean): NdArray["data"] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const get: Readonly<Record<Element, (at: number) => number>> = {
    i1: (at) => view.getInt8(at),
    i2: (at) => view.getInt16(at, little),
    i4: (at) => view.getInt32(at, little),
    i8: (at) => Number(view.getBigInt64(at, little)),
    u1: (at) => view.getUint8(at),
    u2: (at) => view.getUint16(at, little),
    u4: (at) => view.getUint32(at, little),
    u8: (at) => Number(view.getBigUint64(at, little)),
    f4: (at) => view.getFloat32(at, little),
    f8: (at) => view.getFloat64(at, little),
    b1: (at) => view.getUint8(at)
  }
  const step = width(element)
  const isSmall = step < 4 || element === "f4"
  const data = isSmall ? new Float32Array(bytes.length / step) : new Float64Array(bytes.length / step)
  const at = get[element]
  for (let i = 0; i < data.length; i++) data[i] = at(i * step)
  return data
}

const joined = <A extends NdArray["data"]>(parts: ReadonlyArray<A>): A => {
  const Kind = parts[0]!.constructor as new (length: number) => A
  const all = new Kind(parts.reduce((total, { length }) => total + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Reorders elements from Fortran order to C order. */
const turned = (data: NdArray["data"], shape: ReadonlyArray<number>): NdArray["data"] => {
  const into = data.slice()
  const index = shape.map(() => 0)
  const strides = shape.map((_, axis) => size(shape.slice(0, axis)))
  for (let to = 0; to < into.length; to++) {
    into[to] = data[index.reduce((from, i, axis) => from + i * strides[axis]!, 0)]!
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]!; axis--) index[axis] = 0
  }
  return into
}
