/**
 * Joins the tensors of several requests along the batch axis, and hands each request its rows of the answer.
 */
import * as Datatype from "../Datatype.ts"
import type { InferTensor } from "../InferTensor.ts"
import type { ServedSpec } from "../ModelSignature.ts"
import type { RuntimeTensor } from "../worker/Message.ts"

type Numbers = Exclude<Datatype.TensorData, Array<string>>

// Both arrays are of one datatype, which the types cannot express.
const setAt = (into: Numbers, from: Datatype.TensorData, at: number) =>
  (into as Float32Array).set(from as Float32Array, at)

/** Joins the tensors of one input, in order, in fresh memory that may be transferred: [a, …] and [b, …] → [a + b, …]. */
export const join = (tensors: ReadonlyArray<InferTensor>): RuntimeTensor => {
  const first = tensors[0]!
  const { runtime, allocate } = Datatype.row(first.datatype)
  const dims = [...first.shape]
  let length = first.data.length
  for (let i = 1; i < tensors.length; i++) {
    dims[0]! += tensors[i]!.shape[0]!
    length += tensors[i]!.data.length
  }
  if (Array.isArray(first.data)) {
    return { name: first.name, type: runtime, dims, data: tensors.flatMap(({ data }) => data as Array<string>) }
  }
  const data = allocate(length) as Numbers
  let at = 0
  for (const tensor of tensors) {
    setAt(data, tensor.data, at)
    at += tensor.data.length
  }
  return { name: first.name, type: runtime, dims, data }
}

/** Returns rows `start` to `start + count` of an output, or all of it where nothing was joined. */
export const part = (
  { dims, data }: RuntimeTensor,
  { name, datatype }: ServedSpec,
  rows?: { readonly start: number; readonly count: number }
): InferTensor => {
  if (rows === undefined || rows.count === dims[0]) return { name, datatype, shape: dims, data }
  const width = dims[0] === 0 ? 0 : data.length / dims[0]!
  const [from, to] = [rows.start * width, (rows.start + rows.count) * width]
  return {
    name,
    datatype,
    shape: [rows.count, ...dims.slice(1)],
    data: Array.isArray(data) ? data.slice(from, to) : data.subarray(from, to)
  }
}
