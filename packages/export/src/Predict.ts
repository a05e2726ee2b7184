/**
 * Predictions of a model for new inputs.
 */
import { toBinary } from "@bufbuild/protobuf"
import { Elements, Engine, NdArray } from "@rai/core"
import { Effect, Record, Schema } from "effect"
import * as LayersModel from "./layers/LayersModel.ts"
import * as Metadata from "./Metadata.ts"
import * as Model from "./Model.ts"
import * as ModelFile from "./ModelFile.ts"
import * as Onnxruntime from "./Onnxruntime.ts"
import { type ModelProto, ModelProtoSchema } from "./onnx_pb.ts"
import * as External from "./read/External.ts"
import * as InputElements from "./read/InputElements.ts"
import { type LayersUnsupported, type ModelInvalid, oneInput } from "./read/ModelInvalid.ts"
import * as Network from "./read/Network.ts"
import * as Reading from "./read/Reading.ts"

/** Inputs that are not what the model takes. */
export class InputsUnfit extends Schema.TaggedError<InputsUnfit>()("InputsUnfit", {
  file: Schema.String,
  expected: Schema.String,
  came: Schema.String,
  advice: Schema.String
}) {
  override get message(): string {
    return `${this.file}: expected ${this.expected}, but ${this.came} came; ${this.advice}`
  }
}

const oneColumn = "give one column for each input of the model"

/** A model whose outputs are not numbers. */
export class AnswersUnfit extends Schema.TaggedError<AnswersUnfit>()("AnswersUnfit", { file: Schema.String }) {
  override get message(): string {
    return `${this.file}: expected a model with an output of numbers, but its outputs are texts; give one that tells probabilities or values`
  }
}

/** Outputs by name, and what they mean where the model says so. */
export interface Prediction {
  /** `logit` and `probability`, or `value`: [rows, outputs] each. */
  readonly outputs: Engine.Arrays
  /** Names of the outputs that are missing here, as texts are, and on an engine whatever is no floating-point array. */
  readonly others: ReadonlyArray<string>
  readonly task: Metadata.Metadata["task"] | undefined
  readonly inputNames: ReadonlyArray<string> | undefined
  readonly classNames: ReadonlyArray<string> | undefined
}

/** Errors of reading a model. */
export type Unread = ModelFile.FileUnreadable | Model.NotAnOnnxModel | ModelInvalid | LayersUnsupported

/** Errors of a prediction. */
export type Failed = Unread | InputsUnfit | AnswersUnfit | Onnxruntime.OnnxruntimeFailed

/**
 * Runs the model in `file`, an ONNX model or a TensorFlow.js layers-model, on `inputs` [rows, features]; the model has one input of that many
 * features, in any shape.
 */
export const predict = Effect.fn("Predict.predict")(function* (
  file: string,
  inputs: NdArray.NdArray
): Effect.fn.Return<Prediction, Failed> {
  const { bytes, given, input, model, origin } = yield* prepared(file, inputs)
  yield* External.files(model, file)
  const arrays = Model.withoutMaps(model)
  const own = arrays === model ? bytes : toBinary(ModelProtoSchema, arrays)
  const outputs = yield* Onnxruntime.run(own, { [input.name]: given }, file)
  if (Record.keys(outputs).length > 0) return prediction(model, outputs, origin)
  return yield* new AnswersUnfit({ file })
})

/** Like `predict`, on the engine provided: reads the model and runs its program. */
export const onEngine = Effect.fn("Predict.onEngine")(function* (
  file: string,
  inputs: NdArray.NdArray
): Effect.fn.Return<
  Prediction,
  Exclude<Failed, Onnxruntime.OnnxruntimeFailed> | Network.Failed | Engine.EngineFailed,
  Engine.Engine
> {
  const { given, input, model, origin } = yield* prepared(file, inputs)
  const outputs = Reading.realOutputs(model)
  const { arrays, program } = yield* Network.read(model, { file, inputs: { [input.name]: given.shape }, outputs })
  const own = Record.map(arrays, ({ array }) => array)
  return prediction(model, yield* Engine.run(program, { ...own, [input.name]: given }), origin)
})

const prediction = (
  { graph }: ModelProto,
  outputs: Engine.Arrays,
  origin: Metadata.Metadata | undefined
): Prediction => ({
  outputs,
  others: graph!.output.flatMap(({ name }) => (Object.hasOwn(outputs, name) ? [] : [name])),
  task: origin?.task,
  inputNames: origin?.inputs.length === 0 ? undefined : origin?.inputs,
  classNames: origin?.classes
})

/** Bytes of a model; a layers-model is converted to ONNX. */
const bytesOf = Effect.fnUntraced(function* (file: string) {
  return yield* (yield* LayersModel.isAt(file)) ? LayersModel.toOnnx(file) : ModelFile.read(file)
})

/** Reads the model, and reshapes the rows to its input. */
const prepared = Effect.fnUntraced(function* (file: string, inputs: NdArray.NdArray) {
  const bytes = yield* bytesOf(file)
  const model = yield* Model.decode(bytes, file)
  const origin = Metadata.read(model)
  const [input, ...others] = Model.inputs(model)
  if (input === undefined || others.length > 0) {
    const expected = "a model with one input"
    const came = `one with ${others.length + (input === undefined ? 0 : 1)}`
    return yield* new InputsUnfit({
      file,
      expected,
      came,
      advice: input === undefined ? "give another model" : oneInput
    })
  }
  const [examples, ...example] = input.shape
  const features =
    example.length === 1 && typeof example[0] === "string" ? inputs.shape[1]! : NdArray.size(example.map(Number))
  const fits =
    inputs.shape.length === 2 && features === inputs.shape[1] && inputs.data.length === NdArray.size(inputs.shape)
  if (fits && typeof examples === "number" && examples !== inputs.shape[0]) {
    const expected = `inputs of exactly ${examples} ${examples === 1 ? "example" : "examples"}`
    const advice = "give as many, or write a model that takes any number with rai export"
    return yield* new InputsUnfit({ file, expected, came: String(inputs.shape[0]), advice })
  }
  if (!fits) {
    const named = origin?.columns ?? origin?.inputs ?? []
    const names = named.length === 0 ? "" : ` (${named.join(", ")})`
    const expected = `inputs [${input.shape.join(", ")}]${names}`
    return yield* new InputsUnfit({ file, expected, came: `[${inputs.shape.join(", ")}]`, advice: oneColumn })
  }
  const elements = InputElements.of(model, input.name)
  const wrong = elements && Elements.unfit(elements, inputs)
  if (wrong !== undefined) {
    const came = `${wrong.came} in row ${wrong.row}, column ${wrong.column},`
    const advice = "give what the model was trained on, neither scaled nor standardised"
    return yield* new InputsUnfit({ file, expected: wrong.expected, came, advice })
  }
  const shape = [inputs.shape[0]!, ...example.map((n) => (typeof n === "string" ? features : n))]
  return { bytes, model, origin, input, given: { data: inputs.data, shape } }
})

/** Reads the origin of a model that this project wrote, with the columns of its inputs, its task and its classes; undefined for any other model. */
export const origin = Effect.fn("Predict.origin")(function* (
  file: string
): Effect.fn.Return<Metadata.Metadata | undefined, Unread> {
  return Metadata.read(yield* Model.decode(yield* bytesOf(file), file))
})
