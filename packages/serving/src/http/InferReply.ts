/**
 * An inference's answer, written by hand because JSON.stringify has no 64-bit integers.
 */
import { Result } from "effect"
import * as Classification from "../Classification.ts"
import { type InferResponse, type InferTensor, quote } from "../InferTensor.ts"
import * as RawData from "../RawData.ts"
import { RequestInvalid } from "../RequestError.ts"
import * as JsonData from "./JsonData.ts"
import type { OutputForms } from "./OutputForm.ts"
import type { Reply } from "./Reply.ts"

const jsonHeaders = { "content-type": "application/json" }

const headOf = ({ name, datatype, shape }: InferTensor): string =>
  `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape.join(",")}]`

const writeJson = (output: InferTensor, maxElements: number): Result.Result<string, RequestInvalid> => {
  const { data, datatype, name } = output
  const why =
    datatype === "FP16"
      ? "is FP16, which JSON has no form for"
      : data.length > maxElements
        ? `has ${data.length} elements, and JSON may hold ${maxElements}`
        : undefined
  if (why === undefined) return Result.succeed(`${headOf(output)},"data":${JsonData.write(output)}}`)
  const reason = `the output ${quote(name)} ${why}; ask for it with the parameter "binary_data": true`
  return Result.fail(new RequestInvalid({ reason }))
}

const writeOutput = (
  output: InferTensor,
  forms: OutputForms,
  maxElements: number,
  raw: Array<Uint8Array>
): Result.Result<string, RequestInvalid> => {
  const { binary, classes, spec } = forms.named.get(output.name) ?? forms.others
  const chosen = classes > 0 ? Classification.apply(output, classes, spec) : Result.succeed(output)
  if (Result.isFailure(chosen)) return Result.fail(chosen.failure)
  if (!binary) return writeJson(chosen.success, maxElements)
  const bytes = RawData.write(chosen.success)
  raw.push(bytes)
  return Result.succeed(`${headOf(chosen.success)},"parameters":{"binary_data_size":${bytes.length}}}`)
}

/** Writes an answer in the forms that its request asked for; the bytes of raw outputs follow the JSON. */
export const write = (
  { id, model, version, outputs }: InferResponse,
  forms: OutputForms | undefined,
  maxElements: number
): Result.Result<Reply, RequestInvalid> => {
  const written: Array<string> = []
  const raw: Array<Uint8Array> = []
  for (const output of outputs) {
    const text = forms === undefined ? writeJson(output, maxElements) : writeOutput(output, forms, maxElements, raw)
    if (Result.isFailure(text)) return Result.fail(text.failure)
    written.push(text.success)
  }
  const sent = id === undefined ? "" : `,"id":${JSON.stringify(id)}`
  const json = `{"model_name":${JSON.stringify(model)},"model_version":"${version}"${sent},"outputs":[${written.join(",")}]}`
  if (raw.length === 0) return Result.succeed({ status: 200, headers: jsonHeaders, body: json })
  const head = Buffer.from(json)
  return Result.succeed({
    status: 200,
    headers: {
      "content-type": "application/octet-stream",
      "inference-header-content-length": String(head.length)
    },
    body: Buffer.concat([head, ...raw])
  })
}
