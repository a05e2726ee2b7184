/**
 * Triton's classification extension: an output's best classes as texts, `value:index`, in place of its numbers.
 */
import { Result } from "effect"
import { type InferRequest, type InferResponse, type InferTensor, quote } from "./InferTensor.ts"
import { RequestInvalid } from "./RequestError.ts"

/** How many classes are wanted of which outputs. */
export type Wanted = ReadonlyMap<string, number>

const invalid = (reason: string) => Result.fail(new RequestInvalid({ reason }))

/** What a request's outputs ask for by their parameter `classification`; undefined where none does. */
export const wanted = ({
  outputs
}: Pick<InferRequest, "outputs">): Result.Result<Wanted | undefined, RequestInvalid> => {
  let all: Map<string, number> | undefined
  for (const { name, parameters } of outputs ?? []) {
    const count = parameters?.classification
    if (count === undefined) continue
    if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 1) {
      return invalid(
        `the output ${quote(name)} has the parameter "classification", which must be a whole number from 1; leave it out or send one`
      )
    }
    all ??= new Map()
    all.set(name, count)
  }
  return Result.succeed(all)
}

type Numbers = Exclude<InferTensor["data"], ReadonlyArray<string>>

// Of the sort's order only the first `count` are printed; NaN is below all.
const bestOf = (row: Numbers, count: number): ReadonlyArray<string> => {
  const order = Uint32Array.from({ length: row.length }, (_, index) => index).sort((a, b) => {
    const [left, right] = [row[a]!, row[b]!]
    if (left > right || Number.isNaN(right)) return Number.isNaN(left) ? a - b : -1
    return right > left || Number.isNaN(left) ? 1 : a - b
  })
  const print = (value: number | bigint) =>
    row instanceof Float32Array || row instanceof Float64Array ? Number(value).toFixed(6) : String(value)
  return Array.from(order.subarray(0, count), (index) => `${print(row[index]!)}:${index}`)
}

/**
 * The `count` best classes of each example, best first; data: [batch, …] → BYTES [batch, min(count, classes)], or of one axis [classes] →
 * [min(count, classes)].
 */
export const best = (output: InferTensor, count: number): Result.Result<InferTensor, RequestInvalid> => {
  const { name, datatype, shape, data } = output
  if (Array.isArray(data) || datatype === "BOOL" || datatype === "FP16") {
    return invalid(
      `the output ${quote(name)} is ${datatype}, of which there are no best classes; leave out its parameter "classification"`
    )
  }
  const batch = shape.length > 1 ? shape.slice(0, 1) : []
  const rows = batch[0] ?? 1
  const classes = rows === 0 ? 0 : data.length / rows
  const taken = Math.min(count, classes)
  const texts = Array.from({ length: rows }, (_, row) =>
    bestOf(data.subarray(row * classes, (row + 1) * classes), taken)
  )
  return Result.succeed({ name, datatype: "BYTES", shape: [...batch, taken], data: texts.flat() })
}

/** An answer with those of its outputs as classes that are wanted so. */
export const apply = (response: InferResponse, wanted: Wanted): Result.Result<InferResponse, RequestInvalid> => {
  const outputs: Array<InferTensor> = []
  for (const output of response.outputs) {
    const count = wanted.get(output.name)
    const classes = count === undefined ? Result.succeed(output) : best(output, count)
    if (Result.isFailure(classes)) return Result.fail(classes.failure)
    outputs.push(classes.success)
  }
  return Result.succeed({ ...response, outputs })
}
