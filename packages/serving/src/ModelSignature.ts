/**
 * What a model takes and gives, and whether a request fits it.
 */
import { Effect } from "effect"
import { type Datatype, isDatatype } from "./Datatype.ts"
import { type InferRequest, type InferTensor, printShape, quote } from "./InferTensor.ts"
import { NotSupported, RequestInvalid } from "./RequestError.ts"

/** One input or output: a size is a number, or the name (it may be empty) of a dimension that the model leaves open. */
export interface TensorSpec {
  readonly name: string
  readonly datatype: string
  readonly shape: ReadonlyArray<number | string>
}

/** A model's inputs and outputs, in the model's order. */
export interface ModelSignature {
  readonly inputs: ReadonlyArray<TensorSpec>
  readonly outputs: ReadonlyArray<TensorSpec>
}

/** An output that this server can write. */
export type ServedSpec = TensorSpec & { readonly datatype: Datatype }

const invalid = (reason: string) => Effect.fail(new RequestInvalid({ reason }))

const print = (specs: ReadonlyArray<TensorSpec>): string =>
  specs.map((spec) => `${quote(spec.name)} as ${spec.datatype} ${printShape(spec.shape)}`).join(", ")

/** Checks a request's inputs: each of the model's once and no other, of its datatype, in a shape that fits. */
export const checkInputs = Effect.fnUntraced(function* (
  signature: ModelSignature,
  inputs: ReadonlyArray<InferTensor>
): Effect.fn.Return<void, RequestInvalid> {
  const takes = `the model takes ${print(signature.inputs)}`
  const came = new Map(inputs.map((input) => [input.name, input]))
  const stray = inputs.find((input) => !signature.inputs.some((spec) => spec.name === input.name))
  if (stray !== undefined)
    return yield* invalid(`${takes}; an input ${quote(stray.name)} came; take it out or rename it`)
  if (came.size < inputs.length) return yield* invalid(`${takes}; an input came twice; send each once`)
  const open = new Map<string, number>()
  for (const spec of signature.inputs) {
    const input = came.get(spec.name)
    if (input === undefined) return yield* invalid(`${takes}; the input ${quote(spec.name)} is missing; add it`)
    if (input.datatype !== spec.datatype) {
      return yield* invalid(
        `the input ${quote(spec.name)} is ${spec.datatype} in the model; ${input.datatype} came; send the datatype ${spec.datatype}`
      )
    }
    const fits =
      input.shape.length === spec.shape.length &&
      spec.shape.every((size, axis) => typeof size === "string" || size === input.shape[axis])
    if (!fits) {
      return yield* invalid(
        `the input ${quote(spec.name)} has the shape ${printShape(spec.shape)} in the model (-1 is any size); ${printShape(input.shape)} came; send a shape that fits`
      )
    }
    for (const [axis, size] of spec.shape.entries()) {
      if (typeof size !== "string" || size === "") continue
      const known = open.get(size) ?? input.shape[axis]!
      if (known !== input.shape[axis]) {
        return yield* invalid(
          `the inputs' dimension ${quote(size)} is one size in the model; ${known} and ${input.shape[axis]} came; send equal sizes`
        )
      }
      open.set(size, known)
    }
  }
})

/** The outputs that a request wants, checked; all of the model's where it names none. */
export const chooseOutputs = Effect.fnUntraced(function* (
  signature: ModelSignature,
  request: InferRequest
): Effect.fn.Return<ReadonlyArray<ServedSpec>, RequestInvalid | NotSupported> {
  const wanted = request.outputs?.length ? [...new Set(request.outputs)] : signature.outputs.map((spec) => spec.name)
  const chosen: Array<ServedSpec> = []
  for (const name of wanted) {
    const spec = signature.outputs.find((output) => output.name === name)
    if (spec === undefined) {
      return yield* invalid(
        `the model gives ${print(signature.outputs)}; the output ${quote(name)} was asked for; ask for these`
      )
    }
    const { datatype } = spec
    if (!isDatatype(datatype)) {
      return yield* new NotSupported({
        reason: `the output ${quote(name)} is ${datatype}, which this server cannot send; name other outputs in "outputs"`
      })
    }
    chosen.push({ ...spec, datatype })
  }
  return chosen
})
