/**
 * A tensor's `data` between JSON and memory: nested or flat arrays in, flat ones out, row-major.
 */
import { Result } from "effect"
import * as Datatype from "../Datatype.ts"
import { type InferTensor, printShape, quote } from "../InferTensor.ts"
import { RequestInvalid } from "../RequestError.ts"

const brief = (value: unknown): string => {
  if (typeof value === "string") return value.isWellFormed() ? quote(value) : `${quote(value)}, half of a character`
  if (value === undefined) return "nothing"
  return Array.isArray(value) ? "an array" : typeof value === "object" && value !== null ? "an object" : String(value)
}

const invalid = (reason: string) => Result.fail(new RequestInvalid({ reason }))

// onnxruntime's own tensors have far fewer dimensions; the bound keeps deeply nested data from exhausting the stack.
const maxRank = 32

/** Checks a shape: whole numbers, none below 0, and not too many. */
export const readShape = (
  name: string,
  sizes: ReadonlyArray<unknown>
): Result.Result<ReadonlyArray<number>, RequestInvalid> => {
  if (sizes.length > maxRank) {
    return invalid(
      `the shape of the input ${quote(name)} may hold ${maxRank} sizes; ${sizes.length} came; send fewer dimensions`
    )
  }
  for (const size of sizes) {
    if (!Number.isSafeInteger(size) || (size as number) < 0) {
      return invalid(
        `the shape of the input ${quote(name)} must hold whole numbers from 0 to 2^53 - 1; ${brief(size)} came; send the sizes of its data`
      )
    }
  }
  return Result.succeed(sizes as ReadonlyArray<number>)
}

/** Π shape; past 2^53 it is rounded, but no memory is that large, so comparing it with a length stays exact. */
export const countOf = (shape: ReadonlyArray<number>): number => {
  let count = 1
  for (const size of shape) {
    if (size === 0) return 0
    count *= size
  }
  return count
}

const isNestedAs = (shape: ReadonlyArray<number>, data: unknown, axis = 0): boolean =>
  axis === shape.length
    ? !Array.isArray(data)
    : Array.isArray(data) &&
      data.length === shape[axis] &&
      (axis === shape.length - 1 || data.every((part) => isNestedAs(shape, part, axis + 1)))

// Whole numbers that a double would round arrive in quotes, see Json.
const longInteger = /^-?\d{16,20}$/

/** Reads a tensor's elements; fails where the data does not match its shape and datatype, or holds more than `maxElements`. */
export const read = (
  name: string,
  datatype: Datatype.Datatype,
  shape: ReadonlyArray<number>,
  data: unknown,
  maxElements: number
): Result.Result<InferTensor, RequestInvalid> => {
  const input = `the input ${quote(name)}`
  if (datatype === "FP16") {
    return invalid(`${input} is FP16, which JSON has no form for; send it as binary tensor data`)
  }
  if (!Array.isArray(data)) {
    return invalid(
      `${input} needs its elements in "data", as an array; ${brief(data)} came; send a flat or nested array, or binary tensor data`
    )
  }
  const count = countOf(shape)
  const nested = shape.length > 1 && Array.isArray(data[0])
  if (!nested && data.length !== count) {
    const needed = Number.isSafeInteger(count) ? count : "more than 2^53"
    return invalid(
      `${input} of shape ${printShape(shape)} needs ${needed} elements in "data"; ${data.length} came; send the shape that its data has`
    )
  }
  if (count > maxElements) {
    return invalid(`${input} may hold ${maxElements} elements as JSON; ${count} came; send it as binary tensor data`)
  }
  const flat: ReadonlyArray<unknown> = nested ? data.flat(shape.length - 1) : data
  if (nested && (flat.length !== count || !isNestedAs(shape, data))) {
    return invalid(
      `${input} of shape ${printShape(shape)} came with "data" nested another way; nest it as the shape says, or send it flat`
    )
  }
  const row = Datatype.row(datatype)
  const memory = row.allocate(count)
  for (let i = 0; i < count; i++) {
    const value = flat[i]
    const exact = typeof value === "string" && datatype !== "BYTES" && longInteger.test(value) ? BigInt(value) : value
    const element = row.element(exact)
    if (element === undefined) {
      return invalid(
        `${input} is ${datatype}: each element is ${row.expects}; element ${i} is ${brief(exact)}; correct it`
      )
    }
    memory[i] = element
  }
  return Result.succeed({ name, datatype, shape, data: memory })
}

// TypeScript's types do not have it yet.
const { rawJSON } = JSON as JSON & { readonly rawJSON: (text: string) => object }
/** JSON has -0, but JSON.stringify writes 0; with a fraction, because Python reads -0 as the integer 0. */
const minusZero = rawJSON("-0.0")

/** Writes numbers of which some are -0 or not finite; in a loop of its own, so that V8 keeps treating the other loop's arrays as numbers only. */
const writeOdd = (data: ArrayLike<number>): string => {
  const values = new Array<number | string | object>(data.length)
  for (let i = 0; i < data.length; i++) {
    const element = data[i]!
    values[i] = Object.is(element, -0) ? minusZero : Number.isFinite(element) ? element : String(element)
  }
  return JSON.stringify(values)
}

/** Writes a tensor's data as a flat JSON array; 64-bit integers keep every digit, numbers that JSON lacks become strings. FP16 has no JSON form. */
export const write = ({ datatype, data }: Pick<InferTensor, "datatype" | "data">): string => {
  if (datatype === "BYTES") return JSON.stringify(data)
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return `[${data.join(",")}]`
  const numbers = data as ArrayLike<number>
  if (datatype === "BOOL") return JSON.stringify(Array.from(numbers, (element) => element !== 0))
  // With `join`, V8 would keep the text of each number that it has not seen recently, in old memory; JSON.stringify writes them one after the other.
  const values = new Array<number>(numbers.length)
  for (let i = 0; i < numbers.length; i++) {
    const element = numbers[i]!
    if (!Number.isFinite(element) || Object.is(element, -0)) return writeOdd(numbers)
    values[i] = element
  }
  return JSON.stringify(values)
}
