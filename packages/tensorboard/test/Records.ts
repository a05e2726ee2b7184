/**
 * Reads event files back independently of the code that wrote them: records by their framing, fields by protobuf's wire format.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** Returns a folder's only event file. */
export const fileOf = (folder: string): string => {
  const files = readdirSync(folder).filter((name) => name.startsWith("events.out.tfevents."))
  if (files.length !== 1) throw new Error(`expected one event file, but ${files.length} came in ${folder}`)
  return join(folder, files[0]!)
}

/** Returns a file's records with their framing. */
export const records = (file: string): ReadonlyArray<Buffer> => {
  const bytes = readFileSync(file)
  const found: Array<Buffer> = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 16 + Number(bytes.readBigUInt64LE(at))
    if (end > bytes.length) throw new Error("expected a whole record, but the file ends in it")
    found.push(bytes.subarray(at, end))
    at = end
  }
  return found
}

/** Returns a record's payload. */
export const payload = (record: Buffer): Buffer => record.subarray(12, -4)

/** Returns a message's fields in order: number, and the bytes of length-delimited fields, else the value. */
export const fields = (message: Buffer): ReadonlyArray<readonly [number, Buffer | number]> => {
  let at = 0
  const varint = (): number => {
    let [value, shift] = [0, 0]
    for (;;) {
      const byte = message[at++]!
      value += (byte & 127) * 2 ** shift
      if (byte < 128) return value
      shift += 7
    }
  }
  const value = (wire: number): Buffer | number => {
    if (wire === 0) return varint()
    const length = wire === 1 ? 8 : wire === 5 ? 4 : varint()
    const bytes = message.subarray(at, at + length)
    at += length
    return wire === 1 ? bytes.readDoubleLE() : wire === 5 ? bytes.readFloatLE() : bytes
  }
  const found: Array<readonly [number, Buffer | number]> = []
  while (at < message.length) {
    const key = varint()
    found.push([key >> 3, value(key & 7)])
  }
  return found
}

const field = (message: Buffer, number: number): Buffer | number | undefined =>
  fields(message).find(([found]) => found === number)?.[1]

/** Returns the values in a file's summaries: step, tag, and a number or an image. */
export const values = (file: string) =>
  records(file).flatMap((record) => {
    const event = payload(record)
    const summary = field(event, 5) as Buffer | undefined
    if (summary === undefined) return []
    return fields(summary).map(([, value]) => {
      const image = field(value as Buffer, 4) as Buffer | undefined
      return {
        step: (field(event, 2) ?? 0) as number,
        tag: String(field(value as Buffer, 1)),
        number: field(value as Buffer, 2) as number | undefined,
        image: image && {
          height: field(image, 1) as number,
          width: field(image, 2) as number,
          png: field(image, 4) as Buffer
        }
      }
    })
  })
