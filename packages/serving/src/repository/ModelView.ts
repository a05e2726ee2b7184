/**
 * A model as its settings show it to clients: labels for its classes, and tensors in other shapes than its own, of as many elements.
 */
import { Result } from "effect"
import { type InferTensor, printShape, quote } from "../InferTensor.ts"
import type { ModelSignature, TensorSpec } from "../ModelSignature.ts"
import type { Labels } from "./Labels.ts"
import type { ModelSettings } from "./ModelSettings.ts"

type Said = NonNullable<ModelSettings["input"]>[number] | NonNullable<ModelSettings["output"]>[number]

const product = (sizes: ReadonlyArray<number>): number => sizes.reduce((all, size) => all * size, 1)

/** With a `reshape`, the example's shape in the model is that, and clients see `dims`; a first size that the model leaves open counts examples. */
const specOf = (spec: TensorSpec, said: Said | undefined): Result.Result<TensorSpec, string> => {
  if (said?.reshape === undefined) return Result.succeed(spec)
  const { dims = [], reshape } = said
  const { shape = [] } = reshape
  const batch = spec.shape.length > shape.length && typeof spec.shape[0] === "string" ? spec.shape.slice(0, 1) : []
  const example = spec.shape.slice(batch.length)
  const isModels = example.length === shape.length && example.every((size, axis) => size === shape[axis])
  return isModels && product(dims) === product(shape)
    ? Result.succeed({ ...spec, shape: [...batch, ...dims] })
    : Result.fail(
        `its settings reshape ${quote(spec.name)} from ${printShape(dims)} to ${printShape(shape)}, and the model has ${printShape(spec.shape)} there; "reshape" is an example's shape in the model, without sizes left open, and "dims" one of as many elements`
      )
}

const specsOf = (
  kind: "input" | "output",
  specs: ReadonlyArray<TensorSpec>,
  said: ReadonlyArray<Said> = []
): Result.Result<ReadonlyArray<TensorSpec>, string> => {
  const strange = said.find(({ name }) => !specs.some((spec) => spec.name === name))
  return strange === undefined
    ? Result.all(
        specs.map((spec) =>
          specOf(
            spec,
            said.find(({ name }) => name === spec.name)
          )
        )
      )
    : Result.fail(
        `its settings name the ${kind} ${quote(strange.name)}; the model has ${specs.map(({ name }) => quote(name)).join(", ")}`
      )
}

/** The signature that clients meet. The failure is a predicate of the model. */
export const signature = (
  own: ModelSignature,
  { input, output }: ModelSettings,
  labels: Labels | undefined
): Result.Result<ModelSignature, string> =>
  Result.all({
    inputs: specsOf("input", own.inputs, input),
    outputs: Result.map(specsOf("output", own.outputs, output), (outputs) =>
      outputs.map((spec) => (labels?.has(spec.name) ? { ...spec, labels: labels.get(spec.name) } : spec))
    )
  })

/** A tensor in the shape that one side has for it, its memory as it is. */
export const as = (tensor: InferTensor, spec: TensorSpec): InferTensor => {
  const shape = spec.shape.map((size) => (typeof size === "number" ? size : tensor.shape[0]!))
  // The runtime does not hold a model to the sizes that it declares for its outputs.
  return product(shape) === product(tensor.shape) ? { ...tensor, shape } : tensor
}
