/**
 * numpy's .npy files, versions 1 to 3 (numpy.lib.format): a header that is a Python dictionary literal, then the elements.
 */
import { Effect } from "effect"
import * as ArrayFile from "./ArrayFile.ts"
import { quote } from "./DataInvalid.ts"

const advice = "save numbers, as in np.save(file, array.astype(np.float32))"

/** The .npy format. */
export const format: ArrayFile.Format = {
  name: "npy",
  header: (bytes) => {
    if (bytes.length < 12) return 12
    const magic = Array.from(bytes.subarray(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join(" ")
    if (magic !== "93 4e 55 4d 50 59") {
      const expected = "an npy file, which begins 93 4e 55 4d 50 59"
      return { expected, came: `${magic} came`, advice: "write it with np.save" }
    }
    const version = bytes[6]!
    if (version < 1 || version > 3) {
      return {
        expected: "an npy file of version 1 to 3",
        came: `version ${version} came`,
        advice: "write it with np.save"
      }
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const from = version === 1 ? 10 : 12
    const length = from + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true))
    if (bytes.length < length) return length
    const text = new TextDecoder(version === 3 ? "utf-8" : "latin1").decode(bytes.subarray(from, length))
    return parse(text.trim(), length)
  }
}

const parse = (text: string, length: number): ArrayFile.Header | ArrayFile.Refusal => {
  const descr = /'descr':\s*(?:'([^']*)'|(\[.*\]))/s.exec(text)
  const fortran = /'fortran_order':\s*(True|False)/.exec(text)?.[1]
  const dimensions = /'shape':\s*\(([\d\s,L]*)\)/.exec(text)?.[1]
  if (descr === null || fortran === undefined || dimensions === undefined) {
    return { expected: "a header with descr, fortran_order and shape", came: `${quote(text)} came`, advice }
  }
  const [, dtype = "", fields] = descr
  const [, order, element] = /^([<>|=])([iufb][1248])$/.exec(dtype) ?? []
  if (element === undefined || !isElement(element)) {
    const came =
      fields !== undefined ? "a structured array came" : dtype.endsWith("O") ? "objects came" : `${quote(dtype)} came`
    return { expected: "an array of integers, float32, float64 or bool", came, advice }
  }
  const shape = dimensions.split(",").flatMap((n) => (n.trim() === "" ? [] : [Number.parseInt(n, 10)]))
  return { element, little: order !== ">", shape, fortran: fortran === "True" && shape.length > 1, length }
}

const isElement = (text: string): text is ArrayFile.Element => /^(?:[iu][1248]|f[48]|b1)$/.test(text)

/**
 * Reads the array of an .npy file (plain or gzipped), with its values unchanged. Fails, saying where, if the file is not one, holds
 * objects, strings or records, or is truncated.
 *
 * ```ts
 * import { Npy } from "@rai/core"
 * import { Effect, FileSystem, Stream } from "effect"
 *
 * const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }".padEnd(117) + "\n"
 * const bytes = [0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, 118, 0, ...new TextEncoder().encode(header)]
 * const numbers = new Uint8Array(Float32Array.of(0.5, 2).buffer)
 * const files = FileSystem.layerNoop({
 *   stat: () => Effect.succeed({ type: "File" } as FileSystem.File.Info),
 *   stream: () => Stream.make(Uint8Array.from([...bytes, ...numbers]))
 * })
 * const array = await Effect.runPromise(Npy.read("two.npy").pipe(Effect.provide(files)))
 * array.shape // => [1, 2]
 * Array.from(array.data) // => [0.5, 2]
 * ```
 */
export const read = (path: string) => Effect.map(ArrayFile.read(format, path), ({ array }) => array)
