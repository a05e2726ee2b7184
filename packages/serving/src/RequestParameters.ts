/**
 * The meaning of Triton's request parameters, whichever transport brings them.
 */
import { Result } from "effect"
import { type InferRequest, quote, type RequestedOutput } from "./InferTensor.ts"
import { RequestInvalid } from "./RequestError.ts"

/** A number from 0 that is whole, which beyond 2^53 arrives as a bigint or as digits; undefined where it is none. */
const countOf = (value: unknown): number | undefined => {
  const number = typeof value === "bigint" || (typeof value === "string" && /^\d+$/.test(value)) ? Number(value) : value
  return Number.isInteger(number) && (number as number) >= 0 ? (number as number) : undefined
}

const invalid = (reason: string) => Result.fail(new RequestInvalid({ reason }))

/** Milliseconds that a request allows for its answer, from its `timeout` in microseconds; undefined where that is missing or 0. */
export const timeout = ({ parameters }: InferRequest): Result.Result<number | undefined, RequestInvalid> => {
  const micros = countOf(parameters?.timeout ?? 0)
  return micros !== undefined
    ? Result.succeed(micros > 0 ? micros / 1000 : undefined)
    : invalid('the parameter "timeout" must be a whole number of microseconds; correct it, or leave it out')
}

/** Number of an output's largest elements that are wanted, as texts, from its `classification`; 0 for the tensor itself. */
export const classes = ({ name, parameters }: RequestedOutput): Result.Result<number, RequestInvalid> => {
  const count = countOf(parameters?.classification ?? 0)
  return count !== undefined
    ? Result.succeed(count)
    : invalid(
        `the parameter "classification" of the output ${quote(name)} must be a whole number of classes; correct it`
      )
}
