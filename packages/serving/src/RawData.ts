/**
 * A tensor's elements as the protocol's raw bytes: little-endian, row-major; for BYTES, four bytes of length before each element.
 */
import { Result } from "effect"
import * as Datatype from "./Datatype.ts"
import type { InferTensor } from "./InferTensor.ts"
import { RequestInvalid } from "./RequestError.ts"

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

const invalid = (reason: string) => Result.fail(new RequestInvalid({ reason }))

const readTexts = (count: number, bytes: Uint8Array): Result.Result<Array<string>, RequestInvalid> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const texts: Array<string> = []
  let at = 0
  while (at < bytes.length) {
    if (texts.length === count) return invalid(`holds more than its ${count} elements`)
    const start = at + 4
    const length = start <= bytes.length ? view.getUint32(at, true) : Number.POSITIVE_INFINITY
    if (start + length > bytes.length) return invalid(`ends within element ${texts.length}`)
    const text = Result.try(() => decoder.decode(bytes.subarray(start, start + length)))
    if (Result.isFailure(text)) return invalid(`is no UTF-8 text at element ${texts.length}`)
    if (!Datatype.isText(text.success))
      return invalid(`holds U+FFFF, which is no character, in element ${texts.length}`)
    texts.push(text.success)
    at = start + length
  }
  return texts.length === count ? Result.succeed(texts) : invalid(`holds ${texts.length} of its ${count} elements`)
}

/**
 * Reads `count` elements: a view of the bytes where they are aligned, a copy where not. The failure's reason is a predicate («holds 7 of its 8
 * bytes») for a sentence that names the tensor.
 */
export const read = (
  datatype: Datatype.Datatype,
  count: number,
  bytes: Uint8Array
): Result.Result<Datatype.TensorData, RequestInvalid> => {
  if (datatype === "BYTES") return readTexts(count, bytes)
  const { bytes: size, allocate } = Datatype.row(datatype)
  if (bytes.length !== count * size) return invalid(`holds ${bytes.length} bytes where its shape has ${count * size}`)
  const memory = allocate(0)
  if (Array.isArray(memory)) return Result.succeed(memory)
  const Memory = memory.constructor as new (
    buffer: ArrayBufferLike,
    offset: number,
    length: number
  ) => Datatype.TensorData
  if (bytes.byteOffset % size === 0) return Result.succeed(new Memory(bytes.buffer, bytes.byteOffset, count))
  return Result.succeed(new Memory(new Uint8Array(bytes).buffer, 0, count))
}

/** The raw bytes of a tensor: a view of its memory, except for BYTES. */
export const write = ({ data }: Pick<InferTensor, "data">): Uint8Array => {
  if (!Array.isArray(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const texts = data.map((text) => encoder.encode(text))
  const bytes = new Uint8Array(texts.reduce((sum, text) => sum + 4 + text.length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const text of texts) {
    view.setUint32(at, text.length, true)
    bytes.set(text, at + 4)
    at += 4 + text.length
  }
  return bytes
}
