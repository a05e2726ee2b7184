/**
 * What Triton's request parameters mean, whichever transport brings them.
 */
import { Result } from "effect"
import { type InferRequest, quote, type RequestedOutput } from "./InferTensor.ts"
import { RequestInvalid } from "./RequestError.ts"

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const invalid = (reason: string) => Result.fail(new RequestInvalid({ reason }))

/** The milliseconds that a request gives for its answer: `timeout`, in microseconds; undefined where it gives none, or 0. */
export const timeout = ({ parameters }: InferRequest): Result.Result<number | undefined, RequestInvalid> => {
  const micros = parameters?.timeout ?? 0
  return isCount(micros)
    ? Result.succeed(micros > 0 ? micros / 1000 : undefined)
    : invalid('the parameter "timeout" must be a whole number of microseconds; correct it, or leave it out')
}

/** So many of an output's largest elements are wanted, as texts: `classification`; 0 for the tensor itself. */
export const classes = ({ name, parameters }: RequestedOutput): Result.Result<number, RequestInvalid> => {
  const count = parameters?.classification ?? 0
  return isCount(count)
    ? Result.succeed(count)
    : invalid(
        `the parameter "classification" of the output ${quote(name)} must be a whole number of classes; correct it`
      )
}
