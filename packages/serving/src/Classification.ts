/**
 * Triton's classification extension: an output's largest elements as texts `value:index`, or `value:index:label` where the classes have labels.
 */
import { Result } from "effect"
import { type InferTensor, quote } from "./InferTensor.ts"
import type { TensorSpec } from "./ModelSignature.ts"
import { RequestInvalid } from "./RequestError.ts"

type Numbers = Exclude<InferTensor["data"], ReadonlyArray<string>>

// NaN counts as −∞, so that the order is total.
const rank = (value: number | bigint): number | bigint => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value)

const largest = (row: Numbers, count: number): ReadonlyArray<number> => {
  const order = Uint32Array.from({ length: row.length }, (_, index) => index)
  order.sort((a, b) => {
    const [x, y] = [rank(row[a]!), rank(row[b]!)]
    return x > y ? -1 : x < y ? 1 : a - b
  })
  return Array.from(order.subarray(0, count))
}

/** Six decimals, as C prints a float; whole numbers as they are. */
const print = (value: number | bigint, whole: boolean): string =>
  whole || !Number.isFinite(value) ? String(value) : Number(value).toFixed(6)

/**
 * The `count` largest elements of each example, where the model leaves the first dimension open (the batch), else of the whole tensor: [batch, …] →
 * BYTES [batch, min(count, classes)].
 */
export const apply = (
  { name, datatype, shape, data }: InferTensor,
  count: number,
  spec: Pick<TensorSpec, "shape" | "labels"> | undefined
): Result.Result<InferTensor, RequestInvalid> => {
  if (Array.isArray(data) || datatype === "BOOL" || datatype === "FP16") {
    return Result.fail(
      new RequestInvalid({
        reason: `the output ${quote(name)} is ${datatype}, which cannot be put in order; ask for it without "classification"`
      })
    )
  }
  const { labels = [], shape: sizes = [] } = spec ?? {}
  const byExample = sizes.length > 1 && typeof sizes[0] === "string"
  const rows = byExample ? shape[0]! : 1
  const width = rows === 0 ? 0 : data.length / rows
  const kept = Math.min(count, width)
  const whole = !datatype.startsWith("FP")
  // The shape of a tensor without elements may claim any number of rows.
  const texts = Array.from({ length: width === 0 ? 0 : rows }, (_, row) => {
    const elements = data.subarray(row * width, (row + 1) * width)
    return largest(elements, kept).map((index) => {
      const label = labels[index] ?? ""
      return `${print(elements[index]!, whole)}:${index}${label === "" ? "" : `:${label}`}`
    })
  })
  return Result.succeed({ name, datatype: "BYTES", shape: byExample ? [rows, kept] : [kept], data: texts.flat() })
}
