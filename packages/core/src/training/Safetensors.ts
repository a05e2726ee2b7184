/**
 * Arrays as a safetensors file, which other tools read too: eight bytes of header length, a JSON header, the numbers in little-endian.
 */
import { Data, Effect } from "effect"
import type { Arrays } from "../engine/Engine.ts"
import { type NdArray, size } from "../tensor/NdArray.ts"

/** Bytes that are not a complete safetensors file. */
export class SafetensorsInvalid extends Data.TaggedError("SafetensorsInvalid")<{
  readonly reason: string
}> {
  override get message(): string {
    return `expected a whole safetensors file, but ${this.reason}`
  }
}

const types = { F32: Float32Array, F64: Float64Array, I32: Int32Array, U8: Uint8Array }

const typeOf = (data: NdArray["data"]): keyof typeof types => {
  if (data instanceof Float32Array) return "F32"
  if (data instanceof Float64Array) return "F64"
  return data instanceof Int32Array ? "I32" : "U8"
}

/** A header entry: an array's type, its shape, and where its bytes begin and end. */
interface Entry {
  readonly dtype: keyof typeof types
  readonly shape: ReadonlyArray<number>
  readonly data_offsets: readonly [start: number, end: number]
}

/** Parses the header's entries by name, without the writer's metadata; undefined for any other text. */
const headerOf = (text: string): ReadonlyArray<readonly [name: string, Entry]> | undefined => {
  try {
    const json: unknown = JSON.parse(text)
    if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined
    const all = Object.entries(json).filter(([name]) => name !== "__metadata__")
    return all.every((entry): entry is [string, Entry] => isEntry(entry[1])) ? all : undefined
  } catch {
    return undefined
  }
}

const isEntry = (given: unknown): given is Entry => {
  const { data_offsets: offsets, dtype, shape } = Object(given) as Readonly<Record<string, unknown>>
  return Object.hasOwn(types, String(dtype)) && areWhole(shape) && areWhole(offsets) && offsets.length === 2
}

const areWhole = (given: unknown): given is ReadonlyArray<number> =>
  Array.isArray(given) && given.every((n) => Number.isSafeInteger(n) && n >= 0)

/** Encodes the arrays, in alphabetical order, as a safetensors file: equal arrays give equal bytes. */
export const encode = (arrays: Arrays): Uint8Array<ArrayBuffer> => {
  const entries = Object.entries(arrays).sort(([a], [b]) => (a < b ? -1 : 1))
  let end = 0
  const header: Record<string, unknown> = {}
  for (const [name, { data, shape }] of entries) {
    header[name] = { dtype: typeOf(data), shape, data_offsets: [end, end + data.byteLength] }
    end += data.byteLength
  }
  // Spaces up to a multiple of eight keep the numbers aligned.
  const json = JSON.stringify(header)
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8))
  const bytes = new Uint8Array(8 + text.length + end)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  let at = 8 + text.length
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += data.byteLength
  }
  return bytes
}

/** Decodes the arrays of a safetensors file; fails with `SafetensorsInvalid` where it is malformed. */
export const decode = (bytes: Uint8Array<ArrayBuffer>): Effect.Effect<Arrays, SafetensorsInvalid> =>
  Effect.gen(function* () {
    const invalid = (reason: string) => new SafetensorsInvalid({ reason })
    if (bytes.length < 8) return yield* invalid(`only ${bytes.length} bytes came`)
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
    if (length > bytes.length - 8) return yield* invalid("it is cut short within its header")
    const text = new TextDecoder().decode(bytes.subarray(8, 8 + length))
    const header = headerOf(text)
    if (header === undefined) return yield* invalid("its header is not one")
    const arrays: Record<string, NdArray> = {}
    for (const [name, { data_offsets, dtype, shape }] of header) {
      const [start, end] = data_offsets
      const Type = types[dtype]
      if (8 + length + end > bytes.length) return yield* invalid(`it is cut short before the end of «${name}»`)
      if (end - start !== size(shape) * Type.BYTES_PER_ELEMENT) return yield* invalid(`«${name}» has the wrong length`)
      const from = bytes.byteOffset + 8 + length + start
      // An array aligned for its type is a view of the file's bytes; any other is copied.
      arrays[name] = {
        shape,
        data:
          from % Type.BYTES_PER_ELEMENT === 0
            ? new Type(bytes.buffer, from, size(shape))
            : new Type(bytes.slice(8 + length + start, 8 + length + end).buffer)
      }
    }
    return arrays
  })
