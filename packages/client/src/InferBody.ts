/**
 * The body of an inference request under the binary tensor extension: JSON, then the tensors' raw little-endian bytes in the same order.
 */
import { Result, Schema } from "effect"
import { AnswerInvalid, TensorInvalid } from "./ClientError.ts"
import * as Tensor from "./Tensor.ts"

/** Parameters that a request may carry beside its tensors. */
export type Parameters = Readonly<Record<string, string | number | boolean>>

/** A request body and the length of its leading JSON in bytes. */
export interface InferBody {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly headerLength: number
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

// Typed arrays have the machine's order of bytes, the protocol's is little-endian; machines of another order run no browser and no Node.
const rawOf = (data: Tensor.Memory[Tensor.Datatype]): Uint8Array => {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  const texts = data.map((text) => encoder.encode(text))
  const bytes = new Uint8Array(texts.reduce((sum, text) => sum + 4 + text.length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const text of texts) {
    view.setUint32(at, text.length, true)
    bytes.set(text, at + 4)
    at += 4 + text.length
  }
  return bytes
}

/** Encodes a request, asking for its outputs as raw bytes too; fails with `TensorInvalid` where a tensor's data does not match its shape. */
export const write = (
  inputs: Readonly<Record<string, Tensor.Tensor>>,
  request: {
    readonly id?: string | undefined
    readonly parameters?: Parameters | undefined
    readonly outputs?: ReadonlyArray<string> | undefined
  }
): Result.Result<InferBody, TensorInvalid> => {
  const raws: Array<Uint8Array> = []
  const specs: Array<unknown> = []
  for (const [name, { data, datatype, shape }] of Object.entries(inputs)) {
    const needed = Tensor.count(shape)
    if (data.length !== needed) {
      const reason = `of shape [${shape.join(", ")}] needs ${needed} elements; ${data.length} came; give the shape that its data has`
      return Result.fail(new TensorInvalid({ name, reason }))
    }
    const raw = rawOf(data)
    raws.push(raw)
    specs.push({ name, datatype, shape, parameters: { binary_data_size: raw.length } })
  }
  const outputs = request.outputs?.map((name) => ({ name, parameters: { binary_data: true } }))
  const parameters = outputs === undefined ? { ...request.parameters, binary_data_output: true } : request.parameters
  const head = encoder.encode(JSON.stringify({ id: request.id, parameters, inputs: specs, outputs }))
  const bytes = new Uint8Array(raws.reduce((sum, raw) => sum + raw.length, head.length))
  bytes.set(head)
  let at = head.length
  for (const raw of raws) {
    bytes.set(raw, at)
    at += raw.length
  }
  return Result.succeed({ bytes, headerLength: head.length })
}

/** What a model answered. */
export interface Answer {
  readonly model: string
  readonly version: string | undefined
  readonly id: string | undefined
  readonly outputs: Readonly<Record<string, Tensor.Tensor>>
}

const Size = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Head = Schema.fromJsonString(
  Schema.Struct({
    model_name: Schema.String,
    model_version: Schema.optionalKey(Schema.NullOr(Schema.String)),
    id: Schema.optionalKey(Schema.NullOr(Schema.String)),
    outputs: Schema.Array(
      Schema.Struct({
        name: Schema.String,
        datatype: Schema.String,
        shape: Schema.Array(Size),
        parameters: Schema.optionalKey(Schema.NullOr(Schema.Struct({ binary_data_size: Schema.optionalKey(Size) }))),
        data: Schema.optionalKey(Schema.Unknown)
      })
    )
  })
)
const decodeHead = Schema.decodeUnknownResult(Head)

const invalid = (reason: string) => Result.fail(new AnswerInvalid({ reason }))

const textsOf = (count: number, bytes: Uint8Array): ReadonlyArray<string> | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const texts: Array<string> = []
  let at = 0
  while (at + 4 <= bytes.length && texts.length < count) {
    const end = at + 4 + view.getUint32(at, true)
    if (end > bytes.length) return undefined
    texts.push(decoder.decode(bytes.subarray(at + 4, end)))
    at = end
  }
  return texts.length === count && at === bytes.length ? texts : undefined
}

const fromRaw = (
  datatype: Tensor.Datatype,
  count: number,
  bytes: Uint8Array<ArrayBuffer>
): Tensor.Memory[Tensor.Datatype] | undefined => {
  if (datatype === "BYTES") return textsOf(count, bytes)
  const row = Tensor.row(datatype)
  if (bytes.length !== count * row.bytes) return undefined
  return bytes.byteOffset % row.bytes === 0
    ? row.view(bytes.buffer, bytes.byteOffset, count)
    : row.view(bytes.slice().buffer, 0, count) // a typed array view must be aligned
}

const special: ReadonlySet<unknown> = new Set(["NaN", "Infinity", "-Infinity"])

// A server may answer in JSON even if binary outputs were asked for.
const fromJson = (
  datatype: Tensor.Datatype,
  count: number,
  data: unknown
): Tensor.Memory[Tensor.Datatype] | undefined => {
  if (!Array.isArray(data)) return undefined
  const flat: ReadonlyArray<unknown> = data.flat(Number.POSITIVE_INFINITY)
  if (flat.length !== count) return undefined
  const elements = flat.map((value) => {
    if (datatype === "BYTES") return value
    if (datatype === "INT64" || datatype === "UINT64")
      return Number.isSafeInteger(value) ? BigInt(value as number) : value
    return special.has(value) ? Number(value) : value
  })
  const { from } = Tensor.row<Tensor.Datatype>(datatype)
  return Result.getOrUndefined(from(elements as ArrayLike<Tensor.Element<Tensor.Datatype>>))
}

/** Decodes a response; `headerLength` is its `Inference-Header-Content-Length`, undefined where the body is JSON alone. */
export const read = (
  bytes: Uint8Array<ArrayBuffer>,
  headerLength: number | undefined
): Result.Result<Answer, AnswerInvalid> => {
  const length = headerLength ?? bytes.length
  if (!(length <= bytes.length)) return invalid(`it holds ${bytes.length} bytes and says that ${length} are JSON`)
  const head = decodeHead(decoder.decode(bytes.subarray(0, length)))
  if (Result.isFailure(head)) return invalid("it is not the JSON of an inference")
  const { id, model_name, model_version, outputs } = head.success
  const tensors: Array<readonly [string, Tensor.Tensor]> = []
  let at = length
  for (const { data, datatype, name, parameters, shape } of outputs) {
    if (!Tensor.isDatatype(datatype)) return invalid(`its output "${name}" is ${datatype}, which is no datatype`)
    const size = parameters?.binary_data_size
    const count = Tensor.count(shape)
    const memory =
      size === undefined ? fromJson(datatype, count, data) : fromRaw(datatype, count, bytes.subarray(at, at + size))
    if (memory === undefined) {
      return invalid(`its output "${name}" is not ${count} elements of ${datatype}, as it says`)
    }
    at += size ?? 0
    tensors.push([name, { datatype, shape, data: memory } as Tensor.Tensor])
  }
  return Result.succeed({
    model: model_name,
    version: model_version ?? undefined,
    id: id ?? undefined,
    outputs: Object.fromEntries(tensors)
  })
}
