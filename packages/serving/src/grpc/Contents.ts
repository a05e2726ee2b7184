/**
 * A tensor's elements as a message lists them, for clients that do not send raw bytes.
 */
import { Result } from "effect"
import * as Datatype from "../Datatype.ts"
import { RequestInvalid } from "../RequestError.ts"
import type { InferTensorContents } from "./grpc_service_pb.ts"

type Field = Exclude<keyof InferTensorContents, `$${string}`>

const fields = {
  BOOL: "boolContents",
  UINT8: "uintContents",
  UINT16: "uintContents",
  UINT32: "uintContents",
  UINT64: "uint64Contents",
  INT8: "intContents",
  INT16: "intContents",
  INT32: "intContents",
  INT64: "int64Contents",
  FP16: undefined,
  FP32: "fp32Contents",
  FP64: "fp64Contents",
  BYTES: "bytesContents"
} as const satisfies Record<Datatype.Datatype, Field | undefined>

const all = [...new Set(Object.values(fields))].filter((field) => field !== undefined)

const protoName = (field: Field): string => field.replace("Contents", "_contents")

const invalid = (reason: string) => Result.fail(new RequestInvalid({ reason }))

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Reads `count` elements. The failure's reason is a predicate, as that of `RawData.read`. */
export const read = (
  datatype: Datatype.Datatype,
  count: number,
  contents: InferTensorContents | undefined
): Result.Result<Datatype.TensorData, RequestInvalid> => {
  const field = fields[datatype]
  if (field === undefined)
    return invalid(`is ${datatype}, which only raw_input_contents can hold; send its bytes there`)
  const strange = all.find((other) => other !== field && contents !== undefined && contents[other].length > 0)
  if (strange !== undefined) {
    return invalid(
      `is ${datatype}, whose elements stand in ${protoName(field)}; some came in ${protoName(strange)}; move them`
    )
  }
  const values = contents?.[field] ?? []
  if (values.length !== count) {
    return invalid(`holds ${values.length} elements in ${protoName(field)} where its shape has ${count}`)
  }
  const { allocate, element, expects } = Datatype.row(datatype)
  const memory = allocate(count)
  const isFloat = memory instanceof Float32Array || memory instanceof Float64Array
  for (let i = 0; i < count; i++) {
    const value = values[i]!
    // Floats are right as the message has them; JSON's rules would refuse NaN.
    const read = isFloat ? value : element(value instanceof Uint8Array ? text(value) : value)
    if (read === undefined)
      return invalid(`is ${datatype}: each element is ${expects}; element ${i} is another; correct it`)
    memory[i] = read as never
  }
  return Result.succeed(memory)
}

const text = (bytes: Uint8Array): string | undefined => Result.getOrUndefined(Result.try(() => decoder.decode(bytes)))
