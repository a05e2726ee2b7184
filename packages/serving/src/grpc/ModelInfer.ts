/**
 * Inference requests and answers between messages and tensors: raw bytes or typed contents in, raw bytes out.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf"
import { Result } from "effect"
import * as Datatype from "../Datatype.ts"
import {
  type InferRequest,
  type InferResponse,
  type InferTensor,
  type Parameters as Named,
  quote,
  type RequestedOutput
} from "../InferTensor.ts"
import * as RawData from "../RawData.ts"
import { NotSupported, RequestInvalid } from "../RequestError.ts"
import * as Contents from "./Contents.ts"
import {
  type ModelInferRequest,
  type ModelInferRequest_InferInputTensor,
  type ModelInferResponse,
  ModelInferResponseSchema
} from "./grpc_service_pb.ts"
import * as Parameters from "./Parameters.ts"

type Failure = RequestInvalid | NotSupported

const invalid = (reason: string) => Result.fail(new RequestInvalid({ reason }))

// onnxruntime's own tensors have far fewer dimensions.
const maxRank = 32

const sizesOf = (name: string, shape: ReadonlyArray<bigint>): Result.Result<ReadonlyArray<number>, RequestInvalid> => {
  if (shape.length > maxRank) {
    return invalid(
      `the shape of the input ${quote(name)} may hold ${maxRank} sizes; ${shape.length} came; send fewer dimensions`
    )
  }
  const strange = shape.find((size) => size < 0n || size > Number.MAX_SAFE_INTEGER)
  if (strange !== undefined) {
    return invalid(
      `the shape of the input ${quote(name)} must hold whole numbers from 0 to 2^53 - 1; ${strange} came; send the sizes of its data`
    )
  }
  return Result.succeed(shape.map(Number))
}

const sharedMemory = (name: string) =>
  Result.fail(
    new NotSupported({
      reason: `${quote(name)} is in shared memory, which this server does not read or write; send its bytes, and ask for bytes`
    })
  )

const usesSharedMemory = (parameters: Named | undefined) => parameters?.shared_memory_region !== undefined

const readInput = (
  input: ModelInferRequest_InferInputTensor,
  raw: Uint8Array | undefined
): Result.Result<InferTensor, Failure> => {
  const { contents, datatype, name, parameters } = input
  if (usesSharedMemory(Parameters.read(parameters))) return sharedMemory(name)
  if (!Datatype.isDatatype(datatype)) {
    return invalid(
      `the input ${quote(name)} has the datatype ${quote(datatype)}; requests may hold ${Datatype.names.join(", ")}`
    )
  }
  const shape = sizesOf(name, input.shape)
  if (Result.isFailure(shape)) return Result.fail(shape.failure)
  // A product past 2^53 is rounded, but no memory is that long, so comparing it with a length stays exact.
  const count = shape.success.includes(0) ? 0 : shape.success.reduce((product, size) => product * size, 1)
  const data = raw === undefined ? Contents.read(datatype, count, contents) : RawData.read(datatype, count, raw)
  return Result.isSuccess(data)
    ? Result.succeed({ name, datatype, shape: shape.success, data: data.success })
    : invalid(`the input ${quote(name)} ${data.failure.reason}`)
}

/** Reads the request in a message; raw inputs are views of its bytes where these are aligned. */
export const read = (message: ModelInferRequest): Result.Result<InferRequest, Failure> => {
  const raw = message.rawInputContents
  const twice = raw.length > 0 ? message.inputs.find(({ contents }) => contents !== undefined) : undefined
  if (twice !== undefined) {
    const [input, model] = [twice.name, message.modelName].map((name) => quote(name).slice(1, -1))
    // Triton's clients look for these words.
    return invalid(
      `contents field must not be specified when using raw_input_contents for '${input}' for model '${model}'; send all inputs the one way or the other`
    )
  }
  if (raw.length > 0 && raw.length !== message.inputs.length) {
    return invalid(
      `the request has ${message.inputs.length} inputs and ${raw.length} raw_input_contents; send one for each input, in their order`
    )
  }
  const inputs: Array<InferTensor> = []
  for (const [index, input] of message.inputs.entries()) {
    const read = readInput(input, raw[index])
    if (Result.isFailure(read)) return Result.fail(read.failure)
    inputs.push(read.success)
  }
  const outputs: Array<RequestedOutput> = []
  for (const { name, parameters } of message.outputs) {
    const output = { name, parameters: Parameters.read(parameters) }
    if (usesSharedMemory(output.parameters)) return sharedMemory(name)
    outputs.push(output)
  }
  const { id, parameters } = message
  return Result.succeed({ id: id === "" ? undefined : id, parameters: Parameters.read(parameters), inputs, outputs })
}

type Output = NonNullable<MessageInitShape<typeof ModelInferResponseSchema>["outputs"]>[number]

/** Writes an answer as a message; `parameters` are the transport's own. */
export const write = (
  { id = "", model, version, outputs }: InferResponse,
  parameters: Named = {}
): ModelInferResponse =>
  create(ModelInferResponseSchema, {
    modelName: model,
    modelVersion: version,
    id,
    parameters: Parameters.write(parameters),
    outputs: outputs.map(({ name, datatype, shape }): Output => ({ name, datatype, shape: shape.map(BigInt) })),
    rawOutputContents: outputs.map(RawData.write)
  })
