/**
 * Outputs that a request wants as classifications, by their `classification` parameter.
 */
import { Result } from "effect"
import * as Classification from "../Classification.ts"
import type { InferRequest, InferResponse, InferTensor } from "../InferTensor.ts"
import type { ModelSignature } from "../ModelSignature.ts"
import type { RequestInvalid } from "../RequestError.ts"
import * as RequestParameters from "../RequestParameters.ts"

/** Number of classes wanted, by output. */
export type Classes = ReadonlyMap<string, number>

/** Reads which outputs a request wants as classes; undefined where it wants none. */
export const read = ({ outputs }: InferRequest): Result.Result<Classes | undefined, RequestInvalid> => {
  const classes = new Map<string, number>()
  for (const output of outputs ?? []) {
    const count = RequestParameters.classes(output)
    if (Result.isFailure(count)) return Result.fail(count.failure)
    if (count.success > 0) classes.set(output.name, count.success)
  }
  return Result.succeed(classes.size > 0 ? classes : undefined)
}

/** Turns these outputs of an answer into classes. */
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
