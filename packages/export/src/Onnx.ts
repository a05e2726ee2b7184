/**
 * Export: a trained circuit's free run as one ONNX model, with the record that proves parity.
 */
import { basename } from "node:path"
import {
  Circuit,
  Engine,
  FreeRun,
  type NdArray,
  type Program,
  ReferenceEngine,
  type ShapeMismatch,
  type Trained
} from "@rai/core"
import { Effect } from "effect"
import * as Graph from "./Graph.ts"
import * as Head from "./Head.ts"
import * as Metadata from "./Metadata.ts"
import * as Model from "./Model.ts"
import * as ModelFile from "./ModelFile.ts"
import * as Onnxruntime from "./Onnxruntime.ts"
import type * as Operators from "./Operators.ts"
import * as Parity from "./Parity.ts"
import * as Samples from "./Samples.ts"

export { type Read, read } from "./read/Reading.ts"

const program = (trained: Trained.Trained) =>
  Effect.map(FreeRun.program(trained.circuit), (freeRun) => Head.named(freeRun, trained.task))

/**
 * The bytes of the model: input `x` [batch, inputs], outputs by `Head.named`; the same bytes for the same trained circuit.
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
export const make = (
  trained: Trained.Trained
): Effect.Effect<Uint8Array, ShapeMismatch | Operators.OperatorUnsupported> =>
  Effect.gen(function* () {
    const graph = yield* Graph.fromProgram(yield* program(trained), trained.parameters)
    return Model.encode(graph, { version: trained.origin.version, metadata: Metadata.of(trained) })
  })

/** Why an export did not come about; what stood at its place before is as it was. */
export type Failed =
  | ShapeMismatch
  | Operators.OperatorUnsupported
  | Engine.EngineFailed
  | Onnxruntime.OnnxruntimeFailed
  | Parity.ParityLost
  | ModelFile.FileUnwritable

/**
 * Writes `file` and its parity record beside it, once the engine's free run and onnxruntime agree on the samples: some of the given
 * examples [n, inputs], and seeded random points within and far outside their range.
 */
export const write = Effect.fn("Onnx.write")(function* (
  trained: Trained.Trained,
  file: string,
  options: { readonly samples?: NdArray.NdArray } = {}
): Effect.fn.Return<Parity.ParityRecord, Failed, Engine.Engine> {
  const bytes = yield* make(trained)
  const { seed, version } = trained.origin
  const x = Samples.make(Circuit.inputs(trained.circuit), { given: options.samples, seed })
  const freeRun = yield* Engine.run(yield* program(trained), { ...trained.parameters, x })
  const rounding = yield* roundingOf(yield* program(trained), trained.parameters, x, freeRun)
  const tolerance = Parity.toleranceAt(rounding)
  const outputs = Parity.pair(freeRun, yield* Onnxruntime.run(bytes, { x }, file))
  const record = new Parity.ParityRecord({
    format: "rai parity 1",
    model: basename(file),
    sha256: ModelFile.sha256(bytes),
    parameters: Metadata.hash(trained.parameters),
    opset: Model.opset,
    engine: yield* Engine.Engine.use(({ name }) => Effect.succeed(name)),
    versions: {
      rai: version,
      onnxruntime: yield* Effect.flatMap(Onnxruntime.Onnxruntime, (onnxruntime) => onnxruntime.version),
      node: process.versions.node
    },
    rounding,
    tolerance,
    examples: x.shape[0]!,
    ...(yield* Parity.compare(file, tolerance, outputs)),
    inputs: { x: Parity.toRows(x) },
    outputs
  })
  yield* ModelFile.write([
    { file, content: bytes },
    { file: Parity.fileOf(file), content: Parity.print(record) }
  ])
  return record
})

/** The engine's own rounding on these samples. */
const roundingOf = (
  freeRun: Program.Program,
  parameters: Engine.Arrays,
  x: NdArray.NdArray,
  answers: Engine.Arrays
): Effect.Effect<number, Engine.EngineFailed> =>
  Engine.run(freeRun, { ...parameters, x }).pipe(
    Effect.provide(ReferenceEngine.layer),
    Effect.map((exact) => Parity.rounding(answers, exact))
  )
