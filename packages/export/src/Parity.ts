/**
 * The record that proves parity: sample inputs, what the circuit's free run answers to them, what the exported model answers.
 */
import { NdArray } from "@rai/core"
import { Effect, Schema } from "effect"
import * as Samples from "./Samples.ts"

// JSON has no such numbers, so they go as text.
const Real = Schema.Union([Schema.Finite, Schema.Literals(["NaN", "Infinity", "-Infinity"])])

const Rows = Schema.Array(Schema.Array(Real))

/** An output, one row an example. */
export type Rows = typeof Rows.Type

/** How well targets are met: of classes the share that is found, of values R² and the root of the mean squared error. */
const Met = Schema.Union([Schema.Struct({ accuracy: Real }), Schema.Struct({ r2: Real, rootMeanSquaredError: Real })])

/** See `ParityRecord`. */
export type Met = typeof Met.Type

/** What was compared when the model was written, in batches of 1, 7 and then `batch` rows; the record keeps some of it. */
const Compared = Schema.Struct({
  /** The training examples, all of them. */
  training: Schema.Int,
  /** Seeded random points within the range and far outside it. */
  random: Schema.Int,
  /** Examples with NaN, ∞ or −∞ in one column or in all of them. */
  notFinite: Schema.Int,
  /** 1,000 where it is absent; fewer where the model makes so many numbers of one example that memory would not hold that. */
  batch: Schema.optionalKey(Schema.Int),
  /** Of the batch where float32 leaves most open; absent where the record's tolerance held everywhere. */
  tolerance: Schema.optionalKey(Schema.Finite),
  maxAbsDifference: Schema.Finite,
  maxRelativeDifference: Schema.Finite
})

/**
 * What stands in `model.parity.json` beside `model.onnx`. Where an input is NaN or infinite the free run is that of the reference
 * engine, the formulas as they are written: fused kernels, as TensorFlow's ReLU after a product, lose a NaN that the formula keeps.
 */
export class ParityRecord extends Schema.Class<ParityRecord>("ParityRecord")({
  format: Schema.Literal("rai parity 1"),
  model: Schema.String,
  /** Of the model's file. */
  sha256: Schema.String,
  /** Of the files beside it that hold weights of the model, by their names; absent where it holds all of them. */
  external: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  /** Of the parameters, as in the model's metadata. */
  parameters: Schema.String,
  opset: Schema.Int,
  engine: Schema.String,
  versions: Schema.Struct({ rai: Schema.String, onnxruntime: Schema.String, node: Schema.String }),
  /** ρ: how far the engine's float32 stands from the free run in float64, |b − b₆₄| / (1 + |b₆₄|). */
  rounding: Schema.Finite,
  /** 1e-5 + 8 ρ; see `weights` for int8. */
  tolerance: Schema.Finite,
  /** Of a regression whose values are below 1 throughout, what stands in the place of 1 wherever it is said, by column; see `Agreement.Sizes`. */
  sizes: Schema.optionalKey(Schema.Array(Schema.Finite)),
  examples: Schema.Int,
  /** max |a − b| */
  maxAbsDifference: Schema.Finite,
  /** max |a − b| / (1 + |b|) */
  maxRelativeDifference: Schema.Finite,
  /**
   * What smaller weights cost, beside the free run of the trained ones. In float16 the rest of the record is of the weights that are kept,
   * rounded; in int8 it is of the trained ones, the tolerance is twice what was found, and nothing is compared that is not finite.
   */
  weights: Schema.optionalKey(
    Schema.Struct({
      kept: Schema.Literals(["float16", "int8"]),
      examples: Schema.Int,
      maxAbsDifference: Schema.Finite,
      maxRelativeDifference: Schema.Finite,
      /** Of so many examples the class is another. */
      otherClass: Schema.optionalKey(Schema.Int),
      /** How well the examples' targets are met by the trained weights and by those that are kept; absent where none were given. */
      targets: Schema.optionalKey(Schema.Struct({ before: Met, after: Met }))
    })
  ),
  /** The same examples on a GPU, where the machine that wrote the model has one: said, and held to nothing, for products there may be of fewer bits. */
  cuda: Schema.optionalKey(Schema.Struct({ maxAbsDifference: Schema.Finite, maxRelativeDifference: Schema.Finite })),
  /** Absent from the records of earlier versions. */
  compared: Schema.optionalKey(Compared),
  inputs: Schema.Record(Schema.String, Rows),
  outputs: Schema.Record(Schema.String, Schema.Struct({ freeRun: Rows, onnxruntime: Rows }))
}) {}

/** A record that is missing or cannot be read. */
export class RecordInvalid extends Schema.TaggedError<RecordInvalid>()("RecordInvalid", {
  file: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.file}: expected the parity record of a model, but ${this.reason}; export the model again with \`rai export\``
  }
}

/** `moons.parity.json` for `moons.onnx` */
export const fileOf = (model: string): string => `${model.replace(/\.onnx$/, "")}.parity.json`

/** The shortest decimal that is the same float32; float64 stays as it is. */
const shortest = (x: number): number => {
  if (Math.fround(x) !== x || !Number.isFinite(x)) return x
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(x.toPrecision(digits))
    if (Math.fround(short) === x) return short
  }
  return Number(x.toPrecision(9))
}

/** Numbers of one example. */
export const widthOf = ({ data, shape }: NdArray.NdArray): number => data.length / shape[0]! || 1

/** An array [examples, …] as rows of readable numbers, one an example. */
export const toRows = (array: NdArray.NdArray): Rows =>
  Samples.rows(array, widthOf(array)).map((row) => row.map((x) => real(shortest(x))))

/** A number as the record has it. */
export const real = (x: number): typeof Real.Type => (Number.isFinite(x) ? x : (String(x) as "NaN"))

/** Rows as a matrix in float32. */
export const fromRows = (rows: Rows): NdArray.NdArray =>
  NdArray.make([rows.length, rows[0]!.length], rows.flat().map(Number))

/** The record as text, one sample a line. */
export const print = (record: ParityRecord): string => {
  const text = JSON.stringify(Schema.encodeSync(ParityRecord)(record), null, 2)
  return `${text.replace(/\[\n\s+([^[\]{}]*?)\n\s+\]/g, (_, row: string) => `[${row.replace(/,\n\s+/g, ", ")}]`)}\n`
}

const Text = Schema.fromJsonString(ParityRecord)

/** The record that `print` wrote; one that proves nothing, because it holds fewer samples than it says, is refused. */
export const parse = (text: string, file: string): Effect.Effect<ParityRecord, RecordInvalid> =>
  Schema.decodeUnknownEffect(Text)(text).pipe(
    Effect.mapError(() => new RecordInvalid({ file, reason: "the file holds something else" })),
    Effect.filterOrFail(isWhole, () => new RecordInvalid({ file, reason: "samples are missing from it" }))
  )

const isWhole = ({ examples, inputs, outputs }: ParityRecord): boolean => {
  const expected = Object.values(outputs).map(({ freeRun }) => freeRun)
  const columns = [...Object.values(inputs), ...expected]
  return examples > 0 && expected.length > 0 && columns.every((rows) => rows.length === examples && isMatrix(rows))
}

const isMatrix = (rows: Rows): boolean => rows.every((row) => row.length > 0 && row.length === rows[0]!.length)
