/**
 * Outputs that a request wants as a classification, by their parameter of that name.
 */
import { Result } from "effect"
import * as Classification from "../Classification.ts"
import { type InferRequest, type InferResponse, type InferTensor, quote } from "../InferTensor.ts"
import type { ModelSignature } from "../ModelSignature.ts"
import { RequestInvalid } from "../RequestError.ts"

/** How many classes of which outputs. */
export type Classes = ReadonlyMap<string, number>

/** What a request says; undefined where it wants none. */
export const read = ({ outputs }: InferRequest): Result.Result<Classes | undefined, RequestInvalid> => {
  const classes = new Map<string, number>()
  for (const { name, parameters } of outputs ?? []) {
    const count = parameters?.classification ?? 0
    if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 0) {
      return Result.fail(
        new RequestInvalid({
          reason: `the parameter "classification" of the output ${quote(name)} must be a whole number of classes; correct it`
        })
      )
    }
    if (count > 0) classes.set(name, count)
  }
  return Result.succeed(classes.size > 0 ? classes : undefined)
}

/** The answer with these outputs as classes. */
export const apply = (
  response: InferResponse,
  classes: Classes,
  signature: ModelSignature | undefined
): Result.Result<InferResponse, RequestInvalid> => {
  const outputs: Array<InferTensor> = []
  for (const output of response.outputs) {
    const count = classes.get(output.name)
    const spec = signature?.outputs.find(({ name }) => name === output.name)
    const written = count === undefined ? Result.succeed(output) : Classification.apply(output, count, spec)
    if (Result.isFailure(written)) return Result.fail(written.failure)
    outputs.push(written.success)
  }
  return Result.succeed({ ...response, outputs })
}
