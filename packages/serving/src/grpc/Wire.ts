/**
 * Reads and writes the messages of every inference by hand, where they hold only what nearly all of them hold: protobuf-es, which works from
 * descriptions, takes several times as long. Anything less usual is left to it.
 */
import type { InferResponse } from "../InferTensor.ts"
import * as RawData from "../RawData.ts"
import { framed, prefix } from "./Frames.ts"
import type {
  ModelInferRequest,
  ModelInferRequest_InferInputTensor,
  ModelInferRequest_InferRequestedOutputTensor
} from "./grpc_service_pb.ts"

// Maximum number of tags, lengths and sizes, far beyond a usual request's; a message with more is counted first (`Parts`).
const usual = 65_536

// A tag is 8 · field + type; in these fields, numbers have type 0 and whatever has a length has type 2.
const delimited = 2

class Reader {
  readonly #bytes: Buffer
  at = 0
  /** Whether something came that is left to protobuf-es. */
  isOdd = false
  #left = usual

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Reads a number below 2^35; negative ones have ten bytes, and so may malicious ones. */
  varint(): number {
    let value = 0
    this.#left -= 1
    if (this.#left < 0) this.isOdd = true
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = this.#bytes[this.at++]
      if (byte === undefined) break
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    this.isOdd = true
    return 0
  }

  /** Returns where a value with a length ends; `limit` is the end of what contains it. */
  end(limit: number): number {
    const length = this.varint()
    if (this.at + length > limit) this.isOdd = true
    return this.isOdd ? this.at : this.at + length
  }

  bytes(limit: number): Uint8Array {
    const end = this.end(limit)
    const view = this.#bytes.subarray(this.at, end)
    this.at = end
    return view
  }

  text(limit: number): string {
    const end = this.end(limit)
    for (let i = this.at; i < end; i++) if (this.#bytes[i]! > 127) this.isOdd = true
    const text = this.#bytes.toString("latin1", this.at, end)
    this.at = end
    return text
  }
}

const readInput = (reader: Reader, end: number): ModelInferRequest_InferInputTensor => {
  let [name, datatype] = ["", ""]
  const shape: Array<bigint> = []
  while (reader.at < end && !reader.isOdd) {
    const tag = reader.varint()
    if (tag === 8 + delimited) name = reader.text(end)
    else if (tag === 16 + delimited) datatype = reader.text(end)
    else if (tag === 24) shape.push(BigInt(reader.varint()))
    else if (tag === 24 + delimited) {
      const last = reader.end(end)
      while (reader.at < last && !reader.isOdd) shape.push(BigInt(reader.varint()))
      if (reader.at !== last) reader.isOdd = true
    } else reader.isOdd = true
  }
  if (reader.at !== end) reader.isOdd = true
  return { $typeName: "inference.ModelInferRequest.InferInputTensor", name, datatype, shape, parameters: {} }
}

const readOutput = (reader: Reader, end: number): ModelInferRequest_InferRequestedOutputTensor => {
  let name = ""
  while (reader.at < end && !reader.isOdd) {
    if (reader.varint() === 8 + delimited) name = reader.text(end)
    else reader.isOdd = true
  }
  if (reader.at !== end) reader.isOdd = true
  return { $typeName: "inference.ModelInferRequest.InferRequestedOutputTensor", name, parameters: {} }
}

/** The request that the bytes hold, its raw contents as views of them; undefined where reading them is left to protobuf-es. */
export const read = (bytes: Uint8Array): ModelInferRequest | undefined => {
  const reader = new Reader(bytes)
  const end = bytes.length
  let [modelName, modelVersion, id] = ["", "", ""]
  const inputs: Array<ModelInferRequest_InferInputTensor> = []
  const outputs: Array<ModelInferRequest_InferRequestedOutputTensor> = []
  const rawInputContents: Array<Uint8Array> = []
  while (reader.at < end && !reader.isOdd) {
    const tag = reader.varint()
    if (tag === 8 + delimited) modelName = reader.text(end)
    else if (tag === 16 + delimited) modelVersion = reader.text(end)
    else if (tag === 24 + delimited) id = reader.text(end)
    else if (tag === 40 + delimited) inputs.push(readInput(reader, reader.end(end)))
    else if (tag === 48 + delimited) outputs.push(readOutput(reader, reader.end(end)))
    else if (tag === 56 + delimited) rawInputContents.push(reader.bytes(end))
    else reader.isOdd = true
  }
  if (reader.isOdd) return undefined
  return {
    $typeName: "inference.ModelInferRequest",
    modelName,
    modelVersion,
    id,
    parameters: {},
    inputs,
    outputs,
    rawInputContents
  }
}

const sizeOf = (value: number): number => {
  let size = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++
  return size
}

/** Size including its tag and length. */
const sizeWith = (length: number): number => 1 + sizeOf(length) + length

const sizeOfText = (text: string): number => (text === "" ? 0 : sizeWith(Buffer.byteLength(text)))

class Writer {
  readonly bytes: Buffer
  #at = prefix

  constructor(length: number) {
    this.bytes = framed(length)
  }

  varint(value: number): void {
    let rest = value
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.bytes[this.#at++] = (rest % 128) + 128
    this.bytes[this.#at++] = rest
  }

  head(field: number, length: number): void {
    this.bytes[this.#at++] = 8 * field + delimited
    this.varint(length)
  }

  text(field: number, text: string): void {
    if (text === "") return
    this.head(field, Buffer.byteLength(text))
    this.#at += this.bytes.write(text, this.#at)
  }

  raw(field: number, bytes: Uint8Array): void {
    this.head(field, bytes.length)
    this.bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }
}

/** Encodes an answer without parameters as a message with its prefix. */
export const write = ({ id = "", model, outputs, version }: InferResponse): Buffer => {
  let length = sizeOfText(model) + sizeOfText(version) + sizeOfText(id)
  const parts = outputs.map((output) => {
    const { datatype, name, shape } = output
    const sizes = shape.reduce((sum, size) => sum + sizeOf(size), 0)
    const head = sizeOfText(name) + sizeOfText(datatype) + (sizes === 0 ? 0 : sizeWith(sizes))
    const raw = RawData.write(output)
    length += sizeWith(head) + sizeWith(raw.length)
    return { head, raw, sizes }
  })
  const writer = new Writer(length)
  writer.text(1, model)
  writer.text(2, version)
  writer.text(3, id)
  for (const [i, { head, sizes }] of parts.entries()) {
    const { datatype, name, shape } = outputs[i]!
    writer.head(5, head)
    writer.text(1, name)
    writer.text(2, datatype)
    if (sizes > 0) writer.head(3, sizes)
    for (const size of shape) writer.varint(size)
  }
  for (const { raw } of parts) writer.raw(6, raw)
  return writer.bytes
}
