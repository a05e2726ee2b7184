/**
 * How much a message of protobuf asks for beyond its bytes: a part of two of them becomes an object of a hundred and more, a number of one becomes
 * eight or thirty. It is counted before anything is made.
 */
import { type DescMessage, ScalarType } from "@bufbuild/protobuf"
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire"
import type { Limits } from "../http/Limits.ts"

interface Left {
  parts: number
  numbers: number
}

/** What stands in a field: a message, or numbers in a list. */
interface Place {
  readonly inside?: Inside
  readonly numbers?: ScalarType
}

/** By a field's number; undefined for a text, and for what the description does not have. */
type Inside = (number: number) => Place | undefined

const insideOf =
  ({ fields }: DescMessage): Inside =>
  (number) => {
    const field = fields.find((field) => field.number === number)
    const inside = field?.message && insideOf(field.message)
    // A map's entries are messages without a description: 1 is the key, 2 the value.
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

/** The numbers in a list that is packed: of those without a common size, each ends in a byte below 128. */
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

/** Whether a message has more parts, or numbers in lists, than JSON may have arrays and elements; throws where it is no message. */
export const tooMany = (schema: DescMessage, bytes: Uint8Array, { jsonArrays, jsonElements }: Limits): boolean =>
  isMore(new BinaryReader(bytes), bytes.length, insideOf(schema), { parts: jsonArrays, numbers: jsonElements })
