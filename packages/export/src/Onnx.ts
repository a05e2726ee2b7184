/**
 * Export: a trained circuit's free run as one ONNX model, with the record that proves parity.
 */
import { basename } from "node:path"
import { Engine, type NdArray, type ShapeMismatch, type Trained } from "@rai/core"
import { Effect, Schema } from "effect"
import type * as Activations from "./Activations.ts"
import * as Asked from "./Asked.ts"
import * as Graph from "./Graph.ts"
import * as Metadata from "./Metadata.ts"
import * as Model from "./Model.ts"
import * as ModelFile from "./ModelFile.ts"
import * as Onnxruntime from "./Onnxruntime.ts"
import type * as Operators from "./Operators.ts"
import type { GraphProto } from "./onnx_pb.ts"
import * as Parity from "./Parity.ts"
import * as Proof from "./Proof.ts"
import * as Quantised from "./Quantised.ts"
import * as Weights from "./Weights.ts"

export { type Read, read } from "./read/Reading.ts"

/** What may be asked of a model. */
export type Options = Asked.Options

/** An operator set that no model can be written in. */
export class OpsetUnknown extends Schema.TaggedError<OpsetUnknown>()("OpsetUnknown", { opset: Schema.Number }) {
  override get message(): string {
    return `expected an operator set from ${Model.opsets[0]} to ${Model.opsets.at(-1)}, but ${this.opset} came; leave it out for ${Model.opset}`
  }
}

/** How the graph is written with smaller weights. */
const smaller = {
  float32: (graph: GraphProto) => graph,
  float16: Weights.halved,
  int8: Quantised.quantised
} as const

/**
 * The bytes of the model: input `x` [batch, inputs], or raw columns as of `Encoding.raw` where they were preprocessed; outputs by
 * `Head.named` and those that are exposed, by their paths; the same bytes for the same trained circuit.
 *
 * ```ts
 * import { Circuit, NdArray } from "@rai/core"
 * import { Onnx } from "@rai/export"
 * import { Effect } from "effect"
 *
 * const bytes = Effect.runSync(Onnx.make({
 *   circuit: Circuit.linear(2, 1),
 *   parameters: { weight: NdArray.make([2, 1], [1, -1]), bias: NdArray.make([1], [0.5]) },
 *   task: "binary",
 *   inputNames: ["left", "right"],
 *   origin: { plan: "by hand", seed: 0, engine: "none", version: "0.1.0" }
 * }))
 * bytes.length < 1000 // => true
 * ```
 */
export const make = Effect.fn("Onnx.make")(function* (
  trained: Trained.Trained,
  options: Options = {}
): Effect.fn.Return<
  Uint8Array,
  ShapeMismatch | Operators.OperatorUnsupported | OpsetUnknown | Activations.NothingExposed
> {
  const { opset = Model.opset } = options
  if (!Model.opsets.includes(opset)) return yield* new OpsetUnknown({ opset })
  const own = Asked.kept(trained, options)
  const { asked, constants, places } = yield* Asked.program(own, options)
  const whole = yield* Graph.fromProgram(asked, constants, { opset, places })
  const graph = smaller[options.weights ?? "float32"](whole)
  return Model.encode(graph, { version: trained.origin.version, metadata: Metadata.of(own), opset })
})

/** Why an export did not come about; what stood at its place before is as it was. */
export type Failed =
  | ShapeMismatch
  | Operators.OperatorUnsupported
  | OpsetUnknown
  | Activations.NothingExposed
  | Engine.EngineFailed
  | Onnxruntime.OnnxruntimeFailed
  | Parity.ParityLost
  | ModelFile.FileUnwritable

/**
 * Writes `file` and its parity record beside it, once the engine's free run and onnxruntime agree on all the `samples` [n, inputs], the
 * training examples as the model takes them, and on seeded random points within and far outside their range, with NaN and infinities too.
 */
export const write = Effect.fn("Onnx.write")(function* (
  trained: Trained.Trained,
  file: string,
  options: Options & { readonly samples?: NdArray.NdArray } = {}
): Effect.fn.Return<Parity.ParityRecord, Failed, Engine.Engine> {
  const bytes = yield* make(trained, options)
  const own = Asked.kept(trained, options)
  const proved = yield* options.weights === "int8"
    ? Effect.scoped(Proof.measure(own, bytes, file, options))
    : Effect.scoped(Proof.prove(own, bytes, file, options))
  const record = new Parity.ParityRecord({
    format: "rai parity 1",
    model: basename(file),
    sha256: ModelFile.sha256(bytes),
    parameters: Metadata.hash(own.parameters),
    opset: options.opset ?? Model.opset,
    engine: yield* Engine.Engine.use(({ name }) => Effect.succeed(name)),
    versions: {
      rai: trained.origin.version,
      onnxruntime: yield* Effect.flatMap(Onnxruntime.Onnxruntime, (onnxruntime) => onnxruntime.version),
      node: process.versions.node
    },
    ...(options.weights === "float16" && { weights: yield* Proof.loss(trained, own, options) }),
    ...proved
  })
  yield* ModelFile.write([
    { file, content: bytes },
    { file: Parity.fileOf(file), content: Parity.print(record) }
  ])
  return record
})
