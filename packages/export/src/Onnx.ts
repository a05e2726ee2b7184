/**
 * Export: a trained circuit's free run as one ONNX model, with the record that proves parity.
 */
import { basename } from "node:path"
import { Circuit, Engine, type NdArray, Program, type ShapeMismatch, type Trained } from "@rai/core"
import { Effect, Schema } from "effect"
import * as Activations from "./Activations.ts"
import * as Comparison from "./Comparison.ts"
import * as Graph from "./Graph.ts"
import * as Head from "./Head.ts"
import * as Metadata from "./Metadata.ts"
import * as Model from "./Model.ts"
import * as ModelFile from "./ModelFile.ts"
import * as Onnxruntime from "./Onnxruntime.ts"
import type * as Operators from "./Operators.ts"
import type { GraphProto } from "./onnx_pb.ts"
import * as Parity from "./Parity.ts"
import * as Quantised from "./Quantised.ts"
import * as Samples from "./Samples.ts"
import * as Weights from "./Weights.ts"

export { type Read, read } from "./read/Reading.ts"

/** What may be asked of a model. */
export interface Options {
  /** The operator set, 17 to 24; 21 unless told. */
  readonly opset?: number
  /** Paths of activations that become outputs too, with `*` for any one step: `1.*.0`. */
  readonly expose?: string
  /** What the weights are kept as; `float16` halves the file, `int8` quarters it, and the record says what that costs. */
  readonly weights?: Weights.Kind
}

/** An operator set that no model can be written in. */
export class OpsetUnknown extends Schema.TaggedError<OpsetUnknown>()("OpsetUnknown", { opset: Schema.Number }) {
  override get message(): string {
    return `expected an operator set from ${Model.opsets[0]} to ${Model.opsets.at(-1)}, but ${this.opset} came; leave it out for ${Model.opset}`
  }
}

/** What is written: with weights in float16 the parameters are those that it keeps. */
const kept = (trained: Trained.Trained, { weights }: Options): Trained.Trained =>
  weights === "float16" ? { ...trained, parameters: Weights.rounded(trained.parameters) } : trained

const smaller = {
  float32: (graph: GraphProto) => graph,
  float16: Weights.halved,
  int8: Quantised.quantised
} as const

const program = Effect.fnUntraced(function* (trained: Trained.Trained, { expose }: Options) {
  const { circuit, parameters, preprocessing, task } = trained
  const activations = yield* Activations.make(trained)
  const named = Head.named(activations.freeRun, task)
  const exposed = expose === undefined ? {} : yield* Activations.matching(activations, expose)
  const kinds = new Map(Circuit.sites(circuit).map(({ block, path }) => [path, Circuit.print(block)]))
  const places = [...activations.places].map(([path, tensor]) => ({
    path,
    tensor,
    says: `${path}: ${kinds.get(path)}`
  }))
  const { constants, encoded } = activations
  const first =
    encoded && preprocessing
      ? [{ path: "preprocessing", tensor: encoded, says: `preprocessing: ${Metadata.columns(preprocessing)}` }]
      : []
  return {
    asked: Program.fromTensors(named.inputs, { ...named.outputs, ...exposed }),
    constants: { ...parameters, ...constants },
    places: [...first, ...places]
  }
})

/**
 * The bytes of the model: input `x` [batch, inputs], or raw columns as of `Encoding.raw` where they were preprocessed; outputs by `Head.named` and those that are exposed, by their paths; the same bytes for
 * the same trained circuit.
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
  const own = kept(trained, options)
  const { asked, constants, places } = yield* program(own, options)
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
  const own = kept(trained, options)
  const proved = yield* options.weights === "int8"
    ? Effect.scoped(measure(own, bytes, file, options))
    : Effect.scoped(prove(own, bytes, file, options))
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
    ...(options.weights === "float16" && { weights: yield* loss(trained, own, options) }),
    ...proved
  })
  yield* ModelFile.write([
    { file, content: bytes },
    { file: Parity.fileOf(file), content: Parity.print(record) }
  ])
  return record
})

/** What int8 costs: nothing to hold it to but what comes of it, so that is recorded; within the range, as a far example costs all beside it. */
const measure = Effect.fnUntraced(function* (
  trained: Trained.Trained,
  bytes: Uint8Array,
  file: string,
  options: Options & { readonly samples?: NdArray.NdArray }
) {
  const { asked, constants } = yield* program(trained, options)
  const freeRun = (x: NdArray.NdArray) => Engine.run(asked, { ...constants, x })
  const model = yield* Onnxruntime.Onnxruntime.use(({ open }) => open(bytes, file))
  const { from, inputs } = drawn(trained, options.samples)
  const x = Samples.make(inputs, { ...from, reach: 1 })
  const answers = yield* freeRun(x)
  const outputs = Parity.pair(answers, yield* model.run({ x }))
  const differences = yield* Parity.compare(file, Number.MAX_VALUE, outputs)
  return {
    rounding: Parity.rounding(answers, yield* Comparison.exactly(freeRun(x))),
    tolerance: Parity.least + 2 * differences.maxRelativeDifference,
    examples: x.shape[0]!,
    ...differences,
    weights: { kept: "int8" as const, ...(yield* cost(trained, options, freeRun, (x) => model.run({ x }))) },
    inputs: { x: Parity.toRows(x) },
    outputs
  }
})

/** What float16 costs: the free run of the parameters that are kept beside that of the trained ones. */
const loss = Effect.fnUntraced(function* (
  trained: Trained.Trained,
  own: Trained.Trained,
  { samples }: { readonly samples?: NdArray.NdArray }
) {
  const [before, after] = [yield* program(trained, {}), yield* program(own, {})]
  const found = yield* cost(
    trained,
    { ...(samples && { samples }) },
    (x) => Engine.run(before.asked, { ...before.constants, x }),
    (x) => Engine.run(after.asked, { ...after.constants, x })
  )
  return { kept: "float16" as const, ...found }
})

type Answering<E> = (x: NdArray.NdArray) => Effect.Effect<Engine.Arrays, E, Engine.Engine>

/** How far the answers after are from those before, on all the samples; on random points where there are none. */
const cost = Effect.fnUntraced(function* <E, F>(
  trained: Trained.Trained,
  { samples }: { readonly samples?: NdArray.NdArray },
  before: Answering<E>,
  after: Answering<F>
) {
  const { from, inputs } = drawn(trained, samples)
  const rows = Samples.all(inputs, { ...from, least: samples === undefined ? Comparison.least : 0 })
  let differences: Parity.Differences = { maxAbsDifference: 0, maxRelativeDifference: 0 }
  let otherClass = 0
  for (const { x } of Comparison.inTurn(rows)) {
    const [b, a] = [yield* before(x), yield* after(x)]
    differences = Parity.larger(differences, Parity.apart(b, a))
    otherClass += b.label?.data.filter((k, i) => k !== a.label!.data[i]).length ?? 0
  }
  return { examples: rows.shape[0]!, ...differences, ...(trained.task !== "regression" && { otherClass }) }
})

/** The samples that are drawn for a model, and how many numbers each has. */
const drawn = ({ circuit, origin, preprocessing }: Trained.Trained, given: NdArray.NdArray | undefined) => {
  const columns = preprocessing?.columns
  const categories = columns?.map((of) => (of._tag === "Category" ? of.categories.length : 0))
  return { inputs: columns?.length ?? Circuit.inputs(circuit), from: { given, seed: origin.seed, categories } }
}

const prove = Effect.fnUntraced(function* (
  trained: Trained.Trained,
  bytes: Uint8Array,
  file: string,
  options: Options & { readonly samples?: NdArray.NdArray }
) {
  const { asked, constants } = yield* program(trained, options)
  const freeRun = (x: NdArray.NdArray) => Engine.run(asked, { ...constants, x })
  const model = yield* Onnxruntime.Onnxruntime.use(({ open }) => open(bytes, file))

  const { from, inputs } = drawn(trained, options.samples)
  const [x, notFinite] = [Samples.make(inputs, from), Samples.notFinite(inputs, from)]
  const answers = yield* freeRun(x)
  const rounding = Parity.rounding(answers, yield* Comparison.exactly(freeRun(x)))
  const tolerance = Parity.toleranceAt(rounding)
  const outputs = Parity.joined(
    Parity.pair(answers, yield* model.run({ x })),
    Parity.pair(yield* Comparison.exactly(freeRun(notFinite)), yield* model.run({ x: notFinite }))
  )
  const differences = yield* Parity.compare(file, tolerance, outputs)

  const training = options.samples?.shape[0] ?? 0
  const all = Samples.all(inputs, { ...from, least: Comparison.least })
  const recorded = [...Parity.toRows(x), ...Parity.toRows(notFinite)]
  return {
    rounding,
    tolerance,
    examples: recorded.length,
    ...differences,
    compared: {
      training,
      random: all.shape[0]! - training + Samples.random,
      notFinite: notFinite.shape[0]!,
      ...Parity.larger(differences, yield* Comparison.everywhere({ file, freeRun, model, tolerance }, all))
    },
    inputs: { x: recorded },
    outputs
  }
})
