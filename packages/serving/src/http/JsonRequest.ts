/**
 * An infer request in the protocol's JSON, followed by the raw tensors of the binary data extension.
 *
 * The form is checked by hand: every request is read here, and a schema takes longer than everything else.
 */
import { Result } from "effect"
import * as Datatype from "../Datatype.ts"
import { type InferRequest, type InferTensor, type Parameters, quote, type RequestedOutput } from "../InferTensor.ts"
import * as RawData from "../RawData.ts"
import { NotSupported, RequestInvalid } from "../RequestError.ts"
import * as Json from "./Json.ts"
import * as JsonData from "./JsonData.ts"
import type { Limits } from "./Limits.ts"

const example = '{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [0.5, 1]}]}'

type Fields = Readonly<Record<string, unknown>>
type Read<A> = Result.Result<A, RequestInvalid | NotSupported>

const invalid = (reason: string) => Result.fail(new RequestInvalid({ reason }))
const malformed = (place: string, problem: string) =>
  invalid(`the body must be of the form ${example}; at ${place}: ${problem}`)
const expected = (place: string, value: unknown, what: string) =>
  malformed(place, value === undefined ? "Missing key" : `Expected ${what}`)

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const nothing: Parameters = {}

// Serialisers write null for what is not there.
const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null

const readParameters = (place: string, value: unknown): Read<Parameters> => {
  if (isAbsent(value)) return Result.succeed(nothing)
  if (!isFields(value)) return malformed(place, "Expected object")
  const there = Object.entries(value).filter(([, parameter]) => !isAbsent(parameter))
  for (const [name, parameter] of there) {
    if (typeof parameter !== "string" && typeof parameter !== "number" && typeof parameter !== "boolean") {
      return malformed(`${place}.${quote(name).slice(1, -1)}`, "Expected a text, a number, true or false")
    }
  }
  if (!isAbsent(value.shared_memory_region)) {
    return Result.fail(
      new NotSupported({ reason: "this server has no shared memory regions; send the tensors in the body" })
    )
  }
  return Result.succeed(Object.fromEntries(there) as Parameters)
}

/** Where the raw tensors after the JSON are read from, one after the other. */
interface Tail {
  readonly bytes: Uint8Array
  at: number
}

const readRaw = (
  name: string,
  datatype: Datatype.Datatype,
  shape: ReadonlyArray<number>,
  size: unknown,
  tail: Tail
): Read<InferTensor> => {
  const input = `the input ${quote(name)}`
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    return invalid(`${input} has the parameter "binary_data_size", which must be a whole number of bytes; correct it`)
  }
  const left = tail.bytes.length - tail.at
  if (size > left) {
    return invalid(
      `${input} has ${size} bytes of binary data by its "binary_data_size"; ${left} are left in the body behind the JSON; send them all, and the JSON's length in the header Inference-Header-Content-Length`
    )
  }
  const bytes = tail.bytes.subarray(tail.at, tail.at + size)
  tail.at += size
  const data = RawData.read(datatype, JsonData.countOf(shape), bytes)
  if (Result.isFailure(data)) return invalid(`the binary data of ${input} ${data.failure.reason}; correct it`)
  return Result.succeed({ name, datatype, shape, data: data.success })
}

const readInput = (value: unknown, index: number, tail: Tail, limits: Limits): Read<InferTensor> => {
  const at = (field: string) => `inputs[${index}]${field}`
  if (!isFields(value)) return malformed(at(""), "Expected object")
  const { name, datatype, shape, data } = value
  if (typeof name !== "string") return expected(at(".name"), name, "string")
  if (typeof datatype !== "string") return expected(at(".datatype"), datatype, "string")
  if (!Array.isArray(shape)) return expected(at(".shape"), shape, "array")
  const parameters = readParameters(at(".parameters"), value.parameters)
  if (Result.isFailure(parameters)) return Result.fail(parameters.failure)
  if (!Datatype.isDatatype(datatype)) {
    return invalid(
      `the input ${quote(name)} has the datatype ${quote(datatype)}; requests may hold ${Datatype.names.join(", ")}`
    )
  }
  const sizes = JsonData.readShape(name, shape)
  if (Result.isFailure(sizes)) return Result.fail(sizes.failure)
  const { binary_data_size } = parameters.success
  if (binary_data_size === undefined) return JsonData.read(name, datatype, sizes.success, data, limits.jsonElements)
  if (!isAbsent(data)) {
    return invalid(`the input ${quote(name)} has both "data" and "binary_data_size"; send one of them`)
  }
  return readRaw(name, datatype, sizes.success, binary_data_size, tail)
}

const readOutput = (value: unknown, index: number): Read<RequestedOutput> => {
  if (!isFields(value)) return malformed(`outputs[${index}]`, "Expected object")
  const { name } = value
  if (typeof name !== "string") return expected(`outputs[${index}].name`, name, "string")
  const parameters = readParameters(`outputs[${index}].parameters`, value.parameters)
  return Result.map(parameters, (parameters) => ({ name, parameters }))
}

/** Reads a request; `behind` are the bytes after the JSON. */
export const read = (json: Uint8Array, behind: Uint8Array, limits: Limits): Read<InferRequest> => {
  const parsed = Json.parse(json, example, limits)
  if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
  const body = parsed.success
  if (!isFields(body)) return malformed("its top", "Expected object")
  const id = body.id ?? undefined
  if (id !== undefined && typeof id !== "string") return malformed("id", "Expected string")
  const parameters = readParameters("parameters", body.parameters)
  if (Result.isFailure(parameters)) return Result.fail(parameters.failure)
  if (!Array.isArray(body.inputs)) return expected("inputs", body.inputs, "array")
  const tail: Tail = { bytes: behind, at: 0 }
  const inputs: Array<InferTensor> = []
  for (const [index, value] of body.inputs.entries()) {
    const input = readInput(value, index, tail, limits)
    if (Result.isFailure(input)) return Result.fail(input.failure)
    inputs.push(input.success)
  }
  if (tail.at < behind.length) {
    return invalid(
      `the inputs take ${tail.at} bytes of binary data; ${behind.length} came behind the JSON; say each input's "binary_data_size"`
    )
  }
  if (isAbsent(body.outputs)) return Result.succeed({ id, parameters: parameters.success, inputs })
  if (!Array.isArray(body.outputs)) return malformed("outputs", "Expected array")
  const outputs: Array<RequestedOutput> = []
  for (const [index, value] of body.outputs.entries()) {
    const output = readOutput(value, index)
    if (Result.isFailure(output)) return Result.fail(output.failure)
    outputs.push(output.success)
  }
  return Result.succeed({ id, parameters: parameters.success, inputs, outputs })
}
