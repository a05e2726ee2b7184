/**
 * A model as its settings present it to clients: without the inputs that the server fills, with the outputs that they name, with labels for its classes, and
 * with tensors in other shapes of as many elements.
 */
import { Result } from "effect"
import { type InferRequest, type InferTensor, printShape, quote } from "../InferTensor.ts"
import type { ModelSignature, TensorSpec } from "../ModelSignature.ts"
import type { RequestInvalid } from "../RequestError.ts"
import type { Labels } from "./Labels.ts"
import type { ModelSettings } from "./ModelSettings.ts"
import * as SequenceControls from "./SequenceControls.ts"

type Said = NonNullable<ModelSettings["input"]>[number] | NonNullable<ModelSettings["output"]>[number]

const product = (sizes: ReadonlyArray<number>): number => sizes.reduce((all, size) => all * size, 1)

/**
 * A signature in which each tensor whose shape the model does not declare has that of the settings, where they give one; the failure, which completes a
 * sentence about the model, is an input without. As in Triton, `dims` leave out the batch where `max_batch_size` is above 0.
 */
export const shaped = (
  { inputs, outputs }: ModelSignature,
  shapeless: ReadonlySet<string>,
  { input = [], max_batch_size = 0, output = [] }: ModelSettings
): Result.Result<ModelSignature, string> => {
  const batch = max_batch_size > 0 ? [""] : []
  const shapeOf = (spec: TensorSpec, said: ReadonlyArray<Said>): TensorSpec => {
    const { dims, reshape } = said.find(({ name }) => name === spec.name) ?? {}
    const sizes = reshape?.shape ?? dims ?? []
    if (!shapeless.has(spec.name) || spec.shape.length > 0 || sizes.length === 0) return spec
    return { ...spec, shape: [...batch, ...sizes.map((size) => (size === -1 ? "" : size))] }
  }
  const signature = {
    inputs: inputs.map((spec) => shapeOf(spec, input)),
    outputs: outputs.map((spec) => shapeOf(spec, output))
  }
  const without = signature.inputs.find(({ name, shape }) => shapeless.has(name) && shape.length === 0)
  return without === undefined
    ? Result.succeed(signature)
    : Result.fail(
        `it declares no shape for its input ${quote(without.name)}; give one by "dims" in a config.pbtxt in its folder, or export it with shapes`
      )
}

/** Returns which tensor the settings name that the model does not have, or undefined; the text completes a sentence about the model. */
const unknown = (
  kind: "input" | "output",
  specs: ReadonlyArray<TensorSpec>,
  said: ReadonlyArray<Said> = []
): string | undefined => {
  const strange = said.find(({ name }) => !specs.some((spec) => spec.name === name))
  return (
    strange &&
    `its settings name the ${kind} ${quote(strange.name)}; the model has ${specs.map(({ name }) => quote(name)).join(", ")}`
  )
}

/**
 * A signature with those outputs alone that the settings name, where they name any, as Triton's onnxruntime backend serves no others; the failure,
 * which completes a sentence about the model, is a name that no output has.
 */
export const declared = (
  signature: ModelSignature,
  { output = [] }: ModelSettings
): Result.Result<ModelSignature, string> => {
  const strange = unknown("output", signature.outputs, output)
  if (strange !== undefined) return Result.fail(strange)
  const outputs = signature.outputs.filter((spec) => output.some(({ name }) => name === spec.name))
  return Result.succeed(outputs.length === 0 ? signature : { ...signature, outputs })
}

const fits = (shape: TensorSpec["shape"], dims: ReadonlyArray<number>): boolean =>
  shape.length === dims.length &&
  shape.every((size, axis) => typeof size === "string" || dims[axis] === -1 || size === dims[axis])

/** Returns where the settings contradict the model, or undefined; as in Triton, `dims` leave out the batch where `max_batch_size` is above 0. */
const contradiction = (
  spec: TensorSpec,
  { data_type = "TYPE_INVALID", dims = [], reshape }: Said
): string | undefined => {
  const own = spec.datatype === "BYTES" ? "TYPE_STRING" : `TYPE_${spec.datatype}`
  if (data_type !== "TYPE_INVALID" && data_type !== own) return `the data_type ${data_type}, and the model has ${own}`
  const [first, ...example] = spec.shape
  const isModels = fits(spec.shape, dims) || (typeof first === "string" && fits(example, dims))
  return reshape === undefined && dims.length > 0 && !isModels
    ? `the dims ${printShape(dims)}, and the model has ${printShape(spec.shape)}`
    : undefined
}

/** Applies `reshape`: it gives an example's shape in the model, and clients see `dims`. A first dimension that the model leaves open is the batch. */
const specOf = (spec: TensorSpec, said: Said | undefined): Result.Result<TensorSpec, string> => {
  if (said === undefined) return Result.succeed(spec)
  const strange = contradiction(spec, said)
  if (strange !== undefined)
    return Result.fail(`its settings give ${quote(spec.name)} ${strange}; correct them, or leave that out`)
  if (said.reshape === undefined) return Result.succeed(spec)
  const { dims = [], reshape } = said
  const { shape = [] } = reshape
  const batch = spec.shape.length > shape.length && typeof spec.shape[0] === "string" ? spec.shape.slice(0, 1) : []
  const example = spec.shape.slice(batch.length)
  const isModels = example.length === shape.length && example.every((size, axis) => size === shape[axis])
  return isModels && !dims.includes(-1) && product(dims) === product(shape)
    ? Result.succeed({ ...spec, shape: [...batch, ...dims] })
    : Result.fail(
        `its settings reshape ${quote(spec.name)} from ${printShape(dims)} to ${printShape(shape)}, and the model has ${printShape(spec.shape)} there; "reshape" is an example's shape in the model, without sizes left open, and "dims" one of as many elements`
      )
}

const specsOf = (
  specs: ReadonlyArray<TensorSpec>,
  said: ReadonlyArray<Said> = []
): Result.Result<ReadonlyArray<TensorSpec>, string> =>
  Result.all(
    specs.map((spec) =>
      specOf(
        spec,
        said.find(({ name }) => name === spec.name)
      )
    )
  )

/** A tensor in the shape of `spec`, over the same memory. */
const as = (tensor: InferTensor, spec: TensorSpec): InferTensor => {
  const shape = spec.shape.map((size) => (typeof size === "number" ? size : tensor.shape[0]!))
  // The runtime does not hold a model to the output sizes that it declares.
  return product(shape) === product(tensor.shape) ? { ...tensor, shape } : tensor
}

/** The tensors of `to` that have another shape in `from`, by name. */
const reshaped = (from: ReadonlyArray<TensorSpec>, to: ReadonlyArray<TensorSpec>): ReadonlyMap<string, TensorSpec> =>
  new Map(from.flatMap(({ shape }, index) => (shape === to[index]!.shape ? [] : [[to[index]!.name, to[index]!]])))

/** What clients see, and how a fitting request is turned into the model's inputs, and its outputs back. */
export interface ModelView {
  readonly signature: ModelSignature
  readonly inward: (request: InferRequest) => Result.Result<ReadonlyArray<InferTensor>, RequestInvalid>
  readonly outward: (outputs: ReadonlyArray<InferTensor>) => ReadonlyArray<InferTensor>
}

/** Makes the view of a model with this signature; the failure completes a sentence about the model. */
export const make = (
  own: ModelSignature,
  settings: ModelSettings,
  labels: Labels | undefined
): Result.Result<ModelView, string> => {
  const controls = SequenceControls.of(settings)
  const ofClients = own.inputs.filter(({ name }) => !controls.has(name))
  const strange = SequenceControls.misfit(controls, own.inputs) ?? unknown("input", ofClients, settings.input)
  if (strange !== undefined) return Result.fail(strange)
  const signature = Result.all({
    inputs: specsOf(ofClients, settings.input),
    outputs: Result.map(specsOf(own.outputs, settings.output), (outputs) =>
      outputs.map((spec) => (labels?.has(spec.name) ? { ...spec, labels: labels.get(spec.name) } : spec))
    )
  })
  return Result.map(signature, (signature) => {
    const inside = reshaped(signature.inputs, ofClients)
    const outside = reshaped(own.outputs, signature.outputs)
    const turn = (tensor: InferTensor, specs: ReadonlyMap<string, TensorSpec>) => {
      const spec = specs.get(tensor.name)
      return spec === undefined ? tensor : as(tensor, spec)
    }
    return {
      signature,
      inward: (request) => {
        const inputs: Array<InferTensor> = []
        for (const spec of own.inputs) {
          const control = controls.get(spec.name)
          const input =
            control === undefined
              ? Result.succeed(request.inputs.find(({ name }) => name === spec.name)!)
              : SequenceControls.tensor(spec, control, request)
          if (Result.isFailure(input)) return Result.fail(input.failure)
          inputs.push(turn(input.success, inside))
        }
        return Result.succeed(inputs)
      },
      outward: (outputs) => (outside.size === 0 ? outputs : outputs.map((tensor) => turn(tensor, outside)))
    }
  })
}
