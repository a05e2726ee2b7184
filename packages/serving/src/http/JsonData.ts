/**
 * A tensor's `data` between JSON and memory: nested or flat arrays come in, flat ones go out, row-major.
 */
import { Effect } from "effect"
import * as Datatype from "../Datatype.ts"
import { type InferTensor, printShape, quote } from "../InferTensor.ts"
import { RequestInvalid } from "../RequestError.ts"

/** A tensor as it stands in a request's JSON. */
export interface JsonTensor {
  readonly name: string
  readonly datatype: string
  readonly shape: ReadonlyArray<unknown>
  readonly data: unknown
}

const brief = (value: unknown): string => {
  if (typeof value === "string") return quote(value)
  if (value === undefined) return "nothing"
  return Array.isArray(value) ? "an array" : typeof value === "object" && value !== null ? "an object" : String(value)
}

// onnxruntime's own tensors have far fewer; the bound keeps deeply nested data from exhausting the stack.
const maxRank = 32

const sizesOf = Effect.fnUntraced(function* (input: JsonTensor) {
  if (input.shape.length > maxRank) {
    return yield* new RequestInvalid({
      reason: `the shape of the input ${quote(input.name)} may hold ${maxRank} sizes; ${input.shape.length} came; send fewer dimensions`
    })
  }
  const sizes: Array<number> = []
  for (const size of input.shape) {
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
      return yield* new RequestInvalid({
        reason: `the shape of the input ${quote(input.name)} must hold whole numbers from 0 to 2^53 - 1; ${brief(size)} came; send the sizes of its data`
      })
    }
    sizes.push(size)
  }
  return sizes
})

/** Reads a tensor; fails where its data is not what its shape and datatype say. */
export const read = Effect.fnUntraced(function* (input: JsonTensor): Effect.fn.Return<InferTensor, RequestInvalid> {
  const name = quote(input.name)
  const invalid = (reason: string) => Effect.fail(new RequestInvalid({ reason: `the input ${name} ${reason}` }))
  const { datatype } = input
  if (!Datatype.isDatatype(datatype)) {
    return yield* invalid(`has the datatype ${quote(datatype)}; JSON requests may hold ${Datatype.names.join(", ")}`)
  }
  const shape = yield* sizesOf(input)
  if (!Array.isArray(input.data)) {
    return yield* invalid(
      `needs its numbers in "data", as an array; ${brief(input.data)} came; send a flat or nested array`
    )
  }
  const data: ReadonlyArray<unknown> = input.data
  // A product past 2^53 is rounded, but no array is that long: comparing it with a length stays exact.
  const count = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1)
  const needed = Number.isSafeInteger(count) ? count : "more than 2^53"
  const nested = shape.length > 1 && Array.isArray(data[0])
  if (!nested && data.length !== count) {
    return yield* invalid(
      `of shape ${printShape(shape)} needs ${needed} elements in "data"; ${data.length} came; send the shape that its data has`
    )
  }
  const flat = nested ? data.flat(shape.length - 1) : data
  if (nested && (flat.length !== count || !isNestedAs(shape, data))) {
    return yield* invalid(
      `of shape ${printShape(shape)} came with "data" nested another way; nest it as the shape says, or send it flat`
    )
  }
  const row = Datatype.row(datatype)
  const memory = row.allocate(count)
  for (let i = 0; i < count; i++) {
    const element = row.element(flat[i])
    if (element === undefined) {
      return yield* invalid(
        `is ${datatype}: each element is ${row.expects}; element ${i} is ${brief(flat[i])}; correct it`
      )
    }
    memory[i] = element
  }
  return { name: input.name, datatype, shape, data: memory }
})

const isNestedAs = ([size, ...rest]: ReadonlyArray<number>, data: unknown): boolean =>
  size === undefined
    ? !Array.isArray(data)
    : Array.isArray(data) && data.length === size && (rest.length === 0 || data.every((part) => isNestedAs(rest, part)))

/** Writes a tensor's data as a flat JSON array; 64-bit integers keep every digit, numbers that JSON lacks become strings. */
export const write = ({ datatype, data }: InferTensor): string => {
  if (datatype === "BOOL") return `[${Array.from(data as Uint8Array, (element) => element !== 0).join(",")}]`
  const text = data.join(",")
  return `[${/[IN]/.test(text) ? text.replace(/-?Infinity|NaN/g, '"$&"') : text}]`
}
