/**
 * A model's inputs and outputs, and whether a request fits them.
 */
import { Result } from "effect"
import { type Datatype, isDatatype } from "./Datatype.ts"
import { type InferRequest, type InferTensor, printShape, quote } from "./InferTensor.ts"
import { NotSupported, RequestInvalid } from "./RequestError.ts"

/** One input or output; a size is a number, or the name (possibly empty) of a dimension that the model leaves open. */
export interface TensorSpec {
  readonly name: string
  readonly datatype: string
  readonly shape: ReadonlyArray<number | string>
  /** Class names of an output's elements, where the model's settings give them. */
  readonly labels?: ReadonlyArray<string> | undefined
}

/** A model's inputs and outputs, in the model's order. */
export interface ModelSignature {
  readonly inputs: ReadonlyArray<TensorSpec>
  readonly outputs: ReadonlyArray<TensorSpec>
}

/** An output whose datatype this server can write. */
export type ServedSpec = TensorSpec & { readonly datatype: Datatype }

const invalid = (reason: string) => new RequestInvalid({ reason })

const print = (specs: ReadonlyArray<TensorSpec>): string =>
  specs.map((spec) => `${quote(spec.name)} as ${spec.datatype} ${printShape(spec.shape)}`).join(", ")

/**
 * Returns what is wrong with a request's inputs, or undefined where they are exactly the model's, each once, of its datatype and in a shape that
 * fits.
 */
export const misfit = (
  signature: ModelSignature,
  inputs: ReadonlyArray<Omit<InferTensor, "data">>
): RequestInvalid | undefined => {
  const takes = () => `the model takes ${print(signature.inputs)}`
  const open = new Map<string, number>()
  for (const [index, input] of inputs.entries()) {
    if (!signature.inputs.some((spec) => spec.name === input.name)) {
      return invalid(`${takes()}; an input ${quote(input.name)} came; take it out or rename it`)
    }
    if (inputs.findIndex(({ name }) => name === input.name) < index) {
      return invalid(`${takes()}; an input came twice; send each once`)
    }
  }
  for (const spec of signature.inputs) {
    const input = inputs.find(({ name }) => name === spec.name)
    if (input === undefined) return invalid(`${takes()}; the input ${quote(spec.name)} is missing; add it`)
    if (input.datatype !== spec.datatype) {
      return invalid(
        `the input ${quote(spec.name)} is ${spec.datatype} in the model; ${input.datatype} came; send the datatype ${spec.datatype}`
      )
    }
    const fits =
      input.shape.length === spec.shape.length &&
      spec.shape.every((size, axis) => typeof size === "string" || size === input.shape[axis])
    if (!fits) {
      return invalid(
        `the input ${quote(spec.name)} has the shape ${printShape(spec.shape)} in the model (-1 is any size); ${printShape(input.shape)} came; send a shape that fits`
      )
    }
    for (const [axis, size] of spec.shape.entries()) {
      if (typeof size !== "string" || size === "") continue
      const known = open.get(size) ?? input.shape[axis]!
      if (known !== input.shape[axis]) {
        return invalid(
          `the inputs' dimension ${quote(size)} is one size in the model; ${known} and ${input.shape[axis]} came; send equal sizes`
        )
      }
      open.set(size, known)
    }
  }
  return undefined
}

/** The outputs that a request wants, each once; all of the model's where it names none. */
export const chooseOutputs = (
  signature: ModelSignature,
  request: Pick<InferRequest, "outputs">
): Result.Result<ReadonlyArray<ServedSpec>, RequestInvalid | NotSupported> => {
  const wanted = request.outputs?.length
    ? new Set(request.outputs.map(({ name }) => name))
    : signature.outputs.map(({ name }) => name)
  const chosen: Array<ServedSpec> = []
  for (const name of wanted) {
    const spec = signature.outputs.find((output) => output.name === name)
    if (spec === undefined) {
      return Result.fail(
        invalid(`the model gives ${print(signature.outputs)}; the output ${quote(name)} was asked for; ask for these`)
      )
    }
    const { datatype } = spec
    if (!isDatatype(datatype)) {
      return Result.fail(
        new NotSupported({
          reason: `the output ${quote(name)} is ${datatype}, which the protocol does not have; name other outputs in "outputs"`
        })
      )
    }
    chosen.push({ ...spec, datatype })
  }
  return Result.succeed(chosen)
}
