/**
 * Checks a model against its parity record.
 */
import { dirname, join } from "node:path"
import { NdArray, Sha256, type Shape } from "@rai/core"
import { Effect, Schema } from "effect"
import * as Agreement from "./Agreement.ts"
import * as Metadata from "./Metadata.ts"
import * as Model from "./Model.ts"
import * as ModelFile from "./ModelFile.ts"
import * as Onnxruntime from "./Onnxruntime.ts"
import type { ModelProto } from "./onnx_pb.ts"
import * as Parity from "./Parity.ts"
import * as External from "./read/External.ts"
import type { ModelInvalid } from "./read/ModelInvalid.ts"

/** A model that is not the one its record was written for. */
export class ModelChanged extends Schema.TaggedError<ModelChanged>()("ModelChanged", {
  file: Schema.String,
  expected: Schema.String,
  came: Schema.String
}) {
  override get message(): string {
    return `${this.file}: expected the file whose SHA-256 its parity record holds, ${this.expected}, but ${this.came} came: the file has changed since it was exported; take it from its source again, or export it again`
  }
}

/** What a model holds, and how far it differs from its circuit's free run. */
export interface Verified {
  readonly file: string
  readonly sha256: string
  readonly opset: number
  readonly examples: number
  readonly maxAbsDifference: number
  readonly maxRelativeDifference: number
  readonly tolerance: number
  /** The origin: circuit, plan, seed, the engine that it was trained on, the hash of its parameters. */
  readonly origin: Metadata.Metadata | undefined
}

/** Errors of a verification. */
export type Failed =
  | ModelFile.FileUnreadable
  | Model.NotAnOnnxModel
  | ModelInvalid
  | Parity.RecordInvalid
  | ModelChanged
  | Onnxruntime.OnnxruntimeFailed
  | Agreement.ParityLost

const recordOf = Effect.fnUntraced(function* (file: string) {
  const beside = Parity.fileOf(file)
  const text = yield* Effect.mapError(
    ModelFile.read(beside),
    ({ reason }) => new Parity.RecordInvalid({ file: beside, reason })
  )
  return yield* Parity.parse(new TextDecoder().decode(text), beside)
})

/** Checks that every file that holds weights of the model is the one that the record was written for. */
const heldTo = Effect.fnUntraced(function* (file: string, model: ModelProto, { external = {} }: Parity.ParityRecord) {
  for (const name of yield* External.files(model, file)) {
    const [data, expected] = [join(dirname(file), name), Object.hasOwn(external, name) ? external[name] : undefined]
    if (expected === undefined) {
      const reason = `it says nothing of «${name}», where weights of the model lie`
      return yield* new Parity.RecordInvalid({ file: Parity.fileOf(file), reason })
    }
    const came = yield* ModelFile.sha256Of(data)
    if (came !== expected) return yield* new ModelChanged({ file: data, expected, came })
  }
})

/** Checks that what the record says of the model is what the model says of itself. */
const claimed = Effect.fnUntraced(function* (
  file: string,
  record: Parity.ParityRecord,
  model: { readonly opset: number; readonly parameters?: string | undefined }
) {
  for (const [claim, verb] of [
    ["opset", "is not that"],
    ["parameters", "are not those"]
  ] as const) {
    const [said, held] = [record[claim], model[claim]]
    if (held === undefined || said === held) continue
    const reason = `its ${claim} ${shown(said)} ${verb} of the model, ${shown(held)}`
    return yield* new Parity.RecordInvalid({ file: Parity.fileOf(file), reason })
  }
})

/** Checks that what the record says of its samples follows from them, and that it has all outputs of the model. */
const consistent = Effect.fnUntraced(function* (
  file: string,
  record: Parity.ParityRecord,
  answers: ReadonlyArray<string>
) {
  const beside = Parity.fileOf(file)
  const refused = (reason: string) => new Parity.RecordInvalid({ file: beside, reason })
  const missing = answers.find((name) => name !== "label" && !Object.hasOwn(record.outputs, name))
  if (missing !== undefined) return yield* refused(`it says nothing of the output «${shown(missing)}»`)
  const found = yield* Agreement.compare(beside, record.tolerance, record.outputs, record.sizes)
  const tolerance =
    record.weights?.kept === "int8" ? Agreement.toleranceOf(found) : Agreement.toleranceAt(record.rounding)
  for (const [claim, held] of Object.entries({ ...found, tolerance })) {
    const said = record[claim as keyof typeof found | "tolerance"]
    if (Math.abs(said - held) > 1e-9 * held)
      return yield* refused(`its ${claim} ${said} is not what follows from it, ${held}`)
  }
})

/** A claim on one line, cut to the length of a hash, as either file may hold anything. */
const shown = (claim: string | number): string => JSON.stringify(String(claim)).slice(1, -1).slice(0, 64)

/** Rows in the shape that the model gives its examples. */
const shaped = ({ data, shape }: NdArray.NdArray, [, ...example]: Shape.Shape = []): NdArray.NdArray => {
  const lengths = example.filter((n) => typeof n === "number")
  const fits = lengths.length === example.length && NdArray.size(lengths) === shape[1]
  return { data, shape: fits ? [shape[0]!, ...lengths] : shape }
}

/** Checks a model's files and metadata against its record, and runs the record's samples through onnxruntime again. */
export const verify = Effect.fn("Verify.verify")(function* (file: string): Effect.fn.Return<Verified, Failed> {
  const bytes = yield* ModelFile.read(file)
  // Where the record is missing, the error that the file is no model says more.
  const record = yield* Effect.catch(recordOf(file), (missing) => Effect.andThen(Model.decode(bytes, file), missing))
  const sha256 = Sha256.hex(bytes)
  if (sha256 !== record.sha256) return yield* new ModelChanged({ file, expected: record.sha256, came: sha256 })
  const model = yield* Model.decode(bytes, file)
  yield* heldTo(file, model, record)
  const [opset, origin] = [Model.opsetOf(model), Metadata.read(model)]
  yield* claimed(file, record, { opset, parameters: origin?.parameters })
  const shapes = new Map(Model.inputs(model).map(({ name, shape }) => [name, shape]))
  const inputs = Object.fromEntries(
    Object.entries(record.inputs).map(([name, rows]) => [name, shaped(Parity.fromRows(rows), shapes.get(name))])
  )
  const answers = yield* Onnxruntime.run(bytes, inputs, file)
  yield* Agreement.compare(file, 0, Agreement.labels(answers))
  const outputs = Object.fromEntries(
    Object.entries(record.outputs).map(([name, { freeRun }]) => {
      const answer = Object.hasOwn(answers, name) ? answers[name] : undefined
      return [name, { freeRun, onnxruntime: answer === undefined ? [] : Parity.toRows(answer) }]
    })
  )
  const differences = yield* Agreement.compare(file, record.tolerance, outputs, record.sizes)
  yield* consistent(file, record, Object.keys(answers))
  return {
    file,
    sha256,
    opset,
    examples: record.examples,
    ...differences,
    tolerance: record.tolerance,
    origin
  }
})
