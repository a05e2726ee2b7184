/**
 * The answers of a model to new inputs.
 */
import { type Engine, NdArray } from "@rai/core"
import { Effect, Schema } from "effect"
import * as Metadata from "./Metadata.ts"
import * as Model from "./Model.ts"
import * as ModelFile from "./ModelFile.ts"
import * as Onnxruntime from "./Onnxruntime.ts"

/** Inputs that are not what the model takes. */
export class InputsUnfit extends Schema.TaggedError<InputsUnfit>()("InputsUnfit", {
  file: Schema.String,
  expected: Schema.String,
  came: Schema.String
}) {
  override get message(): string {
    return `${this.file}: expected ${this.expected}, but ${this.came} came; give one column for each input of the model`
  }
}

/** Outputs by their name, and what they mean where the model says so. */
export interface Prediction {
  /** `logit` and `probability`, or `value`: [rows, outputs] each. */
  readonly outputs: Engine.Arrays
  readonly task: Metadata.Metadata["task"] | undefined
  readonly inputNames: ReadonlyArray<string> | undefined
  readonly classNames: ReadonlyArray<string> | undefined
}

/** Why there is no prediction. */
export type Failed = ModelFile.FileUnreadable | Model.NotAnOnnxModel | InputsUnfit | Onnxruntime.OnnxruntimeFailed

/** Runs the model in `file` on `inputs` [rows, features], for models with one input of that shape. */
export const predict = Effect.fn("Predict.predict")(function* (
  file: string,
  inputs: NdArray.NdArray
): Effect.fn.Return<Prediction, Failed> {
  const bytes = yield* ModelFile.read(file)
  const model = yield* Model.decode(bytes, file)
  const origin = Metadata.read(model)
  const [input, ...others] = Model.inputs(model)
  if (input === undefined || others.length > 0) {
    const expected = "a model with one input"
    return yield* new InputsUnfit({ file, expected, came: `one with ${others.length + (input === undefined ? 0 : 1)}` })
  }
  const fits =
    inputs.shape.length === input.shape.length &&
    input.shape.every((n, axis) => typeof n === "string" || n === inputs.shape[axis]) &&
    inputs.data.length === NdArray.size(inputs.shape)
  if (!fits) {
    const names = origin === undefined ? "" : ` (${origin.inputs.join(", ")})`
    const expected = `inputs [${input.shape.join(", ")}]${names}`
    return yield* new InputsUnfit({ file, expected, came: `[${inputs.shape.join(", ")}]` })
  }
  return {
    outputs: yield* Onnxruntime.run(bytes, { [input.name]: inputs }, file),
    task: origin?.task,
    inputNames: origin?.inputs,
    classNames: origin?.classes
  }
})

/** What a model of ours says of its inputs' columns, its task, its classes and the rest of its origin; undefined for a model from elsewhere. */
export const origin = Effect.fn("Predict.origin")(function* (
  file: string
): Effect.fn.Return<Metadata.Metadata | undefined, ModelFile.FileUnreadable | Model.NotAnOnnxModel> {
  return Metadata.read(yield* Model.decode(yield* ModelFile.read(file), file))
})
