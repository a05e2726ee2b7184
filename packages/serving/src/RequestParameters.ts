/**
 * The meaning of Triton's request parameters, whichever transport brings them.
 */
import { Result } from "effect"
import { type InferRequest, quote, type RequestedOutput } from "./InferTensor.ts"
import { RequestInvalid } from "./RequestError.ts"

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const invalid = (reason: string) => Result.fail(new RequestInvalid({ reason }))

/** Milliseconds that a request allows for its answer, from its `timeout` in microseconds; undefined where that is missing or 0. */
export const timeout = ({ parameters }: InferRequest): Result.Result<number | undefined, RequestInvalid> => {
  const micros = parameters?.timeout ?? 0
  return isCount(micros)
    ? Result.succeed(micros > 0 ? micros / 1000 : undefined)
    : invalid('the parameter "timeout" must be a whole number of microseconds; correct it, or leave it out')
}

/** Number of an output's largest elements that are wanted, as texts, from its `classification`; 0 for the tensor itself. */
export const classes = ({ name, parameters }: RequestedOutput): Result.Result<number, RequestInvalid> => {
  const count = parameters?.classification ?? 0
  return isCount(count)
    ? Result.succeed(count)
    : invalid(
        `the parameter "classification" of the output ${quote(name)} must be a whole number of classes; correct it`
      )
}
