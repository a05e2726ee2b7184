/**
 * How a request wants its outputs written: as JSON or raw, whole or as a classification.
 */
import { Result } from "effect"
import { type InferRequest, quote } from "../InferTensor.ts"
import type { ModelSignature, TensorSpec } from "../ModelSignature.ts"
import { RequestInvalid } from "../RequestError.ts"
import * as RequestParameters from "../RequestParameters.ts"

/** The form of one output. */
export interface OutputForm {
  readonly binary: boolean
  /** Number of its largest elements that are wanted, as texts; 0 for the tensor itself. */
  readonly classes: number
  /** The output in the model's signature. */
  readonly spec: TensorSpec | undefined
}

/** Forms that differ from plain JSON: of outputs by name, and of those that were not named. */
export interface OutputForms {
  readonly named: ReadonlyMap<string, OutputForm>
  readonly others: OutputForm
}

const json: OutputForm = { binary: false, classes: 0, spec: undefined }
const raw: OutputForm = { ...json, binary: true }

const notBoolean = (parameter: string, place: string) =>
  Result.fail(
    new RequestInvalid({ reason: `the parameter "${parameter}" of ${place} must be true or false; correct it` })
  )

/** Reads the forms from a request's parameters; undefined where all is plain JSON. */
export const read = (
  { parameters, outputs }: InferRequest,
  signature: ModelSignature | undefined
): Result.Result<OutputForms | undefined, RequestInvalid> => {
  const all = parameters?.binary_data_output ?? false
  if (typeof all !== "boolean") return notBoolean("binary_data_output", "the request")
  const others = all ? raw : json
  const named = new Map<string, OutputForm>()
  for (const output of outputs ?? []) {
    const { binary_data: binary = all } = output.parameters ?? {}
    if (typeof binary !== "boolean") return notBoolean("binary_data", `the output ${quote(output.name)}`)
    const classes = RequestParameters.classes(output)
    if (Result.isFailure(classes)) return Result.fail(classes.failure)
    if (!binary && classes.success === 0 && !all) continue
    const spec = signature?.outputs.find(({ name }) => name === output.name)
    named.set(output.name, { binary, classes: classes.success, spec })
  }
  return Result.succeed(all || named.size > 0 ? { named, others } : undefined)
}
