/**
 * IDX files, MNIST's format (Y. LeCun, http://yann.lecun.com/exdb/mnist): two zero bytes, the element type, the number of dimensions, each
 * dimension in four bytes, then the elements, all big-endian.
 */
import { Effect } from "effect"
import * as ArrayFile from "./ArrayFile.ts"

const elements: Readonly<Record<number, ArrayFile.Element>> = {
  8: "u1",
  9: "i1",
  11: "i2",
  12: "i4",
  13: "f4",
  14: "f8"
}

/** The IDX format. */
export const format: ArrayFile.Format = {
  name: "IDX",
  header: (bytes) => {
    if (bytes.length < 4) return 4
    const [zero, zeroToo, type, dimensions] = bytes as unknown as [number, number, number, number]
    const magic = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0")).join(" ")
    const advice = "give an IDX file, as MNIST's are"
    if (zero !== 0 || zeroToo !== 0)
      return { expected: "an IDX file, which begins 00 00", came: `${magic} came`, advice }
    const element = elements[type]
    if (element === undefined) {
      const expected = "a type of 08, 09, 0b, 0c, 0d or 0e in byte 3: bytes, shorts, ints, floats or doubles"
      return { expected, came: `${magic} came`, advice }
    }
    if (dimensions === 0) return { expected: "at least one dimension in byte 4", came: `${magic} came`, advice }
    const length = 4 + 4 * dimensions
    if (bytes.length < length) return length
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const shape = Array.from({ length: dimensions }, (_, axis) => view.getUint32(4 + 4 * axis))
    return { element, little: false, shape, fortran: false, length }
  }
}

/**
 * Reads the array of an IDX file (plain or gzipped), with its values unchanged. Fails, saying where, if the file is not one,
 * truncated or too long.
 *
 * ```ts
 * import { Idx } from "@rai/core"
 * import { Effect, FileSystem, Stream } from "effect"
 *
 * const files = FileSystem.layerNoop({
 *   stat: () => Effect.succeed({ type: "File" } as FileSystem.File.Info),
 *   stream: () => Stream.make(Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 7, 8, 9))
 * })
 * const array = await Effect.runPromise(Idx.read("one.idx2-ubyte").pipe(Effect.provide(files)))
 * array.shape // => [1, 3]
 * Array.from(array.data) // => [7, 8, 9]
 * ```
 */
export const read = (path: string) => Effect.map(ArrayFile.read(format, path), ({ array }) => array)
