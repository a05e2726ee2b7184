/**
 * Export: a trained circuit's free run as one ONNX model, with the record that proves parity.
 */
import { basename } from "node:path"
import { Engine, Sha256, type ShapeMismatch, type Trained } from "@rai/core"
import { Effect, Schema } from "effect"
import type * as Activations from "./Activations.ts"
import type * as Agreement from "./Agreement.ts"
import * as Asked from "./Asked.ts"
import * as External from "./External.ts"
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

/** Options of an export. */
export type Options = Asked.Options

/** Options of an export to files. */
export interface Files extends Options, Proof.Examples {
  /** Whether weights go into a file beside the model even where they fit into it. */
  readonly externalData?: boolean
}

/** An operator set that no model can be written in. */
export class OpsetUnknown extends Schema.TaggedError<OpsetUnknown>()("OpsetUnknown", { opset: Schema.Number }) {
  override get message(): string {
    return `expected an operator set from ${Model.opsets[0]} to ${Model.opsets.at(-1)}, but ${this.opset} came; leave it out for ${Model.opset}`
  }
}

/** A model that is too large for one file. */
export class ModelTooLarge extends Schema.TaggedError<ModelTooLarge>()("ModelTooLarge", { bytes: Schema.Int }) {
  override get message(): string {
    return `expected a model of at most ${Model.most} bytes, as much as one file can hold, but its weights are ${this.bytes}; write it with Onnx.write, which puts them beside it, or with smaller weights`
  }
}

/** Converts the graph's weights to each format. */
const smaller = {
  float32: (graph: GraphProto) => graph,
  float16: Weights.halved,
  int8: Quantised.quantised
} as const

/** A model before it is written as one file, or two. */
interface Built {
  /** The circuit with its weights as they are stored. */
  readonly own: Trained.Trained
  readonly graph: GraphProto
  readonly encode: (graph: GraphProto) => Uint8Array
  readonly apart: External.Apart
  readonly isTooLarge: boolean
}

/** Errors of building a model. */
type Unbuilt = ShapeMismatch | Operators.OperatorUnsupported | OpsetUnknown | Activations.NothingExposed

const build = Effect.fnUntraced(function* (
  trained: Trained.Trained,
  options: Options
): Effect.fn.Return<Built, Unbuilt> {
  const { opset = Model.opset } = options
  if (!Model.opsets.includes(opset)) return yield* new OpsetUnknown({ opset })
  const own = Asked.kept(trained, options)
  const { asked, constants, labels, places } = yield* Asked.program(own, options)
  const whole = yield* Graph.fromProgram(asked, constants, { opset, places, labels })
  const graph = smaller[options.weights ?? "float32"](whole)
  const metadata = Metadata.of(own)
  const encode = (of: GraphProto) => Model.encode(of, { version: trained.origin.version, metadata, opset })
  const apart = External.apart(graph)
  const isTooLarge = encode(apart.graph("")).length + apart.size > Model.most
  return { own, graph, encode, apart, isTooLarge }
})

/**
 * Returns the bytes of the model: input `x` [batch, inputs], or raw columns as of `Encoding.raw` where they were preprocessed; outputs by
 * `Head.named`, and exposed activations by their paths. The bytes are the same for the same trained circuit.
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
): Effect.fn.Return<Uint8Array, Unbuilt | ModelTooLarge> {
  const { apart, encode, graph, isTooLarge } = yield* build(trained, options)
  if (isTooLarge) return yield* new ModelTooLarge({ bytes: apart.size })
  return encode(graph)
})

/** Errors of an export; what was at its place before is unchanged. */
export type Failed =
  | Unbuilt
  | Engine.EngineFailed
  | Onnxruntime.OnnxruntimeFailed
  | Agreement.ParityLost
  | Agreement.AnswersNotFinite
  | ModelFile.FileUnwritable

/**
 * Writes `file`, with its parity record beside it, once the engine's free run and onnxruntime agree on all the samples: the training examples, and
 * seeded random points within and far outside their range, with NaN and infinities too. Weights too large for one file go into `file.data`.
 */
export const write = Effect.fn("Onnx.write")(function* (
  trained: Trained.Trained,
  file: string,
  options: Files = {}
): Effect.fn.Return<Parity.ParityRecord, Failed, Engine.Engine> {
  const built = yield* build(trained, options)
  const isApart = built.apart.size > 0 && (options.externalData === true || built.isTooLarge)
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const written = yield* isApart ? inTwo(built, file) : inOne(built)
      const { own } = built
      const proved = yield* options.weights === "int8"
        ? Effect.scoped(Proof.measure(own, written.bytes, file, options))
        : Effect.scoped(Proof.prove(own, written.bytes, file, options))
      const { bytes, data, external } = yield* written.settled
      const record = new Parity.ParityRecord({
        format: "rai parity 1",
        model: basename(file),
        sha256: Sha256.hex(bytes),
        ...(external && { external }),
        parameters: Metadata.hash(own.parameters),
        opset: options.opset ?? Model.opset,
        engine: yield* Engine.Engine.use(({ name }) => Effect.succeed(name)),
        versions: {
          rai: trained.origin.version,
          onnxruntime: yield* Effect.flatMap(Onnxruntime.Onnxruntime, (onnxruntime) => onnxruntime.version),
          node: process.versions.node
        },
        ...(options.weights === "float16" && { weights: yield* Proof.loss(trained, own, options, proved.sizes ?? []) }),
        ...proved
      })
      const staged = [
        ...data,
        yield* ModelFile.stage(file, bytes),
        yield* ModelFile.stage(Parity.fileOf(file), Parity.print(record))
      ]
      const kept = new Set(data.map(({ file: own }) => own))
      const stale = (yield* External.filesOf(file)).filter((earlier) => !kept.has(earlier))
      yield* ModelFile.settle(staged, stale)
      return record
    })
  )
})

/** A model that can be run before it is at its place, and what is to be put there. */
interface Written {
  readonly bytes: Uint8Array
  readonly settled: Effect.Effect<{
    readonly bytes: Uint8Array
    readonly data: ReadonlyArray<ModelFile.Staged>
    readonly external?: Parity.ParityRecord["external"]
  }>
}

const inOne = ({ encode, graph }: Built): Effect.Effect<Written> => {
  const bytes = encode(graph)
  return Effect.succeed({ bytes, settled: Effect.succeed({ bytes, data: [] }) })
}

const inTwo = Effect.fnUntraced(function* ({ apart, encode }: Built, file: string) {
  const { part } = yield* ModelFile.stage(`${file}.data`, apart.content())
  const sha256 = apart.sha256()
  const named = (of: string) => encode(apart.graph(basename(of)))
  const written: Written = {
    bytes: named(part),
    settled: Effect.map(External.fileFor(file, sha256), (place) => ({
      bytes: named(place),
      data: [{ file: place, part }],
      external: { [basename(place)]: sha256 }
    }))
  }
  return written
})
