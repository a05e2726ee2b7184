/**
 * An infer request that consists only of the bytes of the model's one input (Inference-Header-Content-Length 0).
 */
import { Result } from "effect"
import { isDatatype, row } from "../Datatype.ts"
import { type InferRequest, printShape, quote } from "../InferTensor.ts"
import type { ModelSignature } from "../ModelSignature.ts"
import * as RawData from "../RawData.ts"
import { RequestInvalid } from "../RequestError.ts"
import { countOf } from "./JsonData.ts"

const invalid = (reason: string) => Result.fail(new RequestInvalid({ reason }))

// As in Triton, the answer to such a request is binary unless it says otherwise, which it cannot.
const parameters = { binary_data_output: true }

/** Reads the body as the model's one input, of whose shape the model may leave one size open. For BYTES the body is the one element. */
export const read = (
  body: Uint8Array,
  signature: ModelSignature | undefined
): Result.Result<InferRequest, RequestInvalid> => {
  const [spec, ...others] = signature?.inputs ?? []
  if (spec === undefined || others.length > 0 || !isDatatype(spec.datatype)) {
    return invalid(
      "Inference-Header-Content-Length 0 says that the body is the model's one input; this model has another number of them; send the JSON's length and the JSON"
    )
  }
  const { name, datatype } = spec
  const input = `the input ${quote(name)} of shape ${printShape(spec.shape)}`
  if (spec.shape.filter((size) => typeof size === "string").length > 1) {
    return invalid(`${input} leaves more than one size open, which raw bytes do not tell; send its shape as JSON`)
  }
  const fixed = countOf(spec.shape.filter((size) => typeof size === "number"))
  if (datatype === "BYTES" && fixed !== 1) {
    return invalid(`${input} holds more than one text, whose ends raw bytes do not tell; send its elements as JSON`)
  }
  const open = datatype === "BYTES" ? 1 : body.length / (fixed * row(datatype).bytes)
  if (!Number.isInteger(open)) {
    return invalid(
      `${input} is ${datatype}; ${body.length} bytes came, which are no whole number of examples; correct it`
    )
  }
  const shape = spec.shape.map((size) => (typeof size === "number" ? size : open))
  const data =
    datatype === "BYTES"
      ? Result.map(RawData.read("BYTES", 1, Buffer.concat([lengthOf(body), body])), (data) => data)
      : RawData.read(datatype, countOf(shape), body)
  if (Result.isFailure(data)) return invalid(`the body, which is ${input}, ${data.failure.reason}; correct it`)
  return Result.succeed({ parameters, inputs: [{ name, datatype, shape, data: data.success }] })
}

const lengthOf = (body: Uint8Array): Uint8Array => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(body.length)
  return length
}
