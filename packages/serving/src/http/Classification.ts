/**
 * Triton's classification extension: of an output its largest elements, as texts "value:index".
 */
import { Result } from "effect"
import { type InferTensor, quote } from "../InferTensor.ts"
import { RequestInvalid } from "../RequestError.ts"
import { countOf } from "./JsonData.ts"

type Numbers = ArrayLike<number | bigint>

const withoutOrder = new Set(["BOOL", "BYTES", "FP16"])

/** Six decimals, as C prints a float; whole numbers as they are. */
const print = (value: number | bigint, whole: boolean): string =>
  whole || !Number.isFinite(value) ? String(value) : (value as number).toFixed(6)

const largest = (data: Numbers, start: number, length: number, count: number): Array<number> =>
  Array.from({ length }, (_, index) => index)
    .sort((a, b) => {
      const [x, y] = [data[start + a]!, data[start + b]!]
      return x > y ? -1 : x < y ? 1 : a - b
    })
    .slice(0, count)

/** The `count` largest elements of each example, where the first size counts examples, or else of the whole tensor. */
export const apply = (
  { name, datatype, shape, data }: InferTensor,
  count: number,
  byExample: boolean
): Result.Result<InferTensor, RequestInvalid> => {
  if (withoutOrder.has(datatype)) {
    return Result.fail(
      new RequestInvalid({
        reason: `the output ${quote(name)} is ${datatype}, which cannot be put in order; ask for it without "classification"`
      })
    )
  }
  const rows = byExample ? shape[0]! : 1
  const width = rows === 0 ? 0 : countOf(shape) / rows
  const whole = !datatype.startsWith("FP")
  const numbers = data as Numbers
  const kept = Math.min(count, width)
  const texts: Array<string> = []
  for (let row = 0; row < rows; row++) {
    for (const index of largest(numbers, row * width, width, kept)) {
      texts.push(`${print(numbers[row * width + index]!, whole)}:${index}`)
    }
  }
  return Result.succeed({ name, datatype: "BYTES", shape: byExample ? [rows, kept] : [kept], data: texts })
}
