/**
 * How much memory a protobuf message asks for beyond its bytes: a part of two bytes becomes an object of a hundred and more, a number of one byte
 * takes eight or thirty. Counted before anything is created.
 */
import { type DescMessage, ScalarType } from "@bufbuild/protobuf"
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire"
import type { Limits } from "../http/Limits.ts"

interface Left {
  parts: number
  numbers: number
}

/** What a field holds: a message, or a list of numbers. */
interface Place {
  readonly inside?: Inside
  readonly numbers?: ScalarType
}

/** Looks up a field by number; undefined for a text, and for a field that the description does not have. */
type Inside = (number: number) => Place | undefined

const insideOf =
  ({ fields }: DescMessage): Inside =>
  (number) => {
    const field = fields.find((field) => field.number === number)
    const inside = field?.message && insideOf(field.message)
    // A map's entries are messages without a description: field 1 is the key, 2 the value.
    if (field?.fieldKind === "map") return { inside: (number) => (number === 2 && inside ? { inside } : undefined) }
    if (inside !== undefined) return { inside }
    if (field?.fieldKind !== "list") return undefined
    const numbers = field.scalar ?? ScalarType.INT32
    return numbers === ScalarType.STRING || numbers === ScalarType.BYTES ? undefined : { numbers }
  }

const fixed: Partial<Record<ScalarType, number>> = {
  [ScalarType.DOUBLE]: 8,
  [ScalarType.FIXED64]: 8,
  [ScalarType.SFIXED64]: 8,
  [ScalarType.FLOAT]: 4,
  [ScalarType.FIXED32]: 4,
  [ScalarType.SFIXED32]: 4
}

/** Number of values in a packed list; where they have no common size, each ends in a byte below 128. */
const packed = (bytes: Uint8Array, scalar: ScalarType): number => {
  const size = fixed[scalar]
  if (size !== undefined) return bytes.length / size
  let count = 0
  for (const byte of bytes) if (byte < 128) count += 1
  return count
}

const isMore = (reader: BinaryReader, end: number, inside: Inside, left: Left): boolean => {
  while (reader.pos < end) {
    const [number, type] = reader.tag()
    left.parts -= 1
    if (left.parts < 0) return true
    const place = inside(number)
    if (type !== WireType.LengthDelimited) reader.skip(type, number)
    else if (place?.inside !== undefined) {
      const length = reader.uint32()
      if (isMore(reader, Math.min(reader.pos + length, end), place.inside, left)) return true
    } else {
      const bytes = reader.bytes()
      if (place?.numbers !== undefined) left.numbers -= packed(bytes, place.numbers)
      if (left.numbers < 0) return true
    }
  }
  return false
}

/** Whether a message has more parts, or numbers in lists, than JSON may have arrays and elements; throws where it is not a message. */
export const tooMany = (schema: DescMessage, bytes: Uint8Array, { jsonArrays, jsonElements }: Limits): boolean =>
  isMore(new BinaryReader(bytes), bytes.length, insideOf(schema), { parts: jsonArrays, numbers: jsonElements })
