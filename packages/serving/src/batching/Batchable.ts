/**
 * Whether a model's requests may be batched: only along the first axis, and only where each row's answer is then bit for bit the same.
 */
import { Effect } from "effect"
import * as Datatype from "../Datatype.ts"
import type { InferTensor } from "../InferTensor.ts"
import type { ModelSignature, TensorSpec } from "../ModelSignature.ts"
import type { RuntimeTensor } from "../worker/Message.ts"
import * as ModelWorker from "../worker/ModelWorker.ts"
import * as Batch from "./Batch.ts"

/** Number of rows of each request that is tried; varied enough for the runtime to use more than one kernel. */
const tried = [1, 2, 5, 8]

const isOpen = ({ shape }: TensorSpec): boolean => shape.length > 0 && typeof shape[0] === "string"

/** The size tried for open dimensions other than the batch. */
const inner = 2

/** Input values that any kind of layer takes: small, not all alike and, where they are whole numbers, valid indices into a table of two. */
const sample = (spec: TensorSpec, rows: number, seed: number): InferTensor | undefined => {
  const { datatype, name } = spec
  if (!Datatype.isDatatype(datatype)) return
  const shape = [rows, ...spec.shape.slice(1).map((size) => (typeof size === "number" ? size : inner))]
  const count = shape.reduce((product, size) => product * size, 1)
  if (count > 1 << 22) return
  const data = Datatype.row(datatype).allocate(count)
  for (let i = 0; i < count; i++) {
    // A full-period congruential generator modulo 2^16: the same numbers at every start.
    const bits = (Math.imul(seed + i, 25_173) + 13_849) & 0xffff
    const half = bits & 1
    if (Array.isArray(data)) data[i] = String(half)
    else if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(half)
    // The float16 bits of numbers from 0.5 to 1.999.
    else if (datatype === "FP16") data[i] = 0x3800 + (bits & 0x7ff)
    else data[i] = datatype === "FP32" || datatype === "FP64" ? bits / 32_768 - 1 : half
  }
  return { name, datatype, shape, data }
}

const sameBits = (a: Datatype.TensorData, b: Datatype.TensorData): boolean => {
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((text, i) => text === b[i])
  if (Array.isArray(b) || a.byteLength !== b.byteLength) return false
  const bytes = (data: typeof a) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return bytes(a).equals(bytes(b))
}

/**
 * Tries it out: requests of 1, 2, 5 and 8 rows must get bit-for-bit equal answers alone and together. A model that fails on the samples is not
 * batched.
 */
export const isBatchable = Effect.fnUntraced(
  function* (worker: ModelWorker.ModelWorker, signature: ModelSignature) {
    const { inputs, outputs } = signature
    if (inputs.length === 0 || ![...inputs, ...outputs].every(isOpen)) return false
    const requests: Array<ReadonlyArray<InferTensor>> = []
    for (const [index, rows] of tried.entries()) {
      const tensors = inputs.map((spec, input) => sample(spec, rows, 1000 * index + 100 * input))
      if (tensors.some((tensor) => tensor === undefined)) return false
      requests.push(tensors as Array<InferTensor>)
    }
    const names = outputs.map(({ name }) => name)
    const run = (tensors: ReadonlyArray<RuntimeTensor>) =>
      ModelWorker.compute(worker, tensors, names).pipe(Effect.map((computed) => computed.outputs))
    const joined = yield* run(inputs.map((_, input) => Batch.join(requests.map((tensors) => tensors[input]!))))
    const whole = tried.reduce((sum, rows) => sum + rows, 0)
    if (joined.some(({ dims }) => dims[0] !== whole)) return false
    let start = 0
    for (const [index, rows] of tried.entries()) {
      const alone = yield* run(requests[index]!.map((tensor) => Batch.join([tensor])))
      for (const [output, { name, dims, data, type }] of alone.entries()) {
        if (dims[0] !== rows) return false
        const datatype = Datatype.fromRuntime(type)
        if (!Datatype.isDatatype(datatype)) return false
        const share = Batch.part(joined[output]!, { name, datatype, shape: [] }, { start, count: rows })
        if (!sameBits(share.data, data)) return false
      }
      start += rows
    }
    return true
  },
  Effect.orElseSucceed(() => false)
)
