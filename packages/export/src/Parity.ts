/**
 * The record that proves parity: sample inputs, and the answers to them of the circuit's free run and of the exported model.
 */
import { NdArray } from "@rai/core"
import { Effect, Schema } from "effect"
import * as Samples from "./Samples.ts"

// JSON has no NaN and no infinities, so they are written as text.
const Real = Schema.Union([Schema.Finite, Schema.Literals(["NaN", "Infinity", "-Infinity"])])

const Rows = Schema.Array(Schema.Array(Real))

/** An output, one row per example. */
export type Rows = typeof Rows.Type

/** How well targets are met: accuracy for classes, R² and root mean squared error for values. */
const Met = Schema.Union([Schema.Struct({ accuracy: Real }), Schema.Struct({ r2: Real, rootMeanSquaredError: Real })])

/** See `ParityRecord`. */
export type Met = typeof Met.Type

/** What was compared when the model was written, in batches of 1, 7 and then `batch` rows; the record holds part of it. */
const Compared = Schema.Struct({
  /** Number of training examples, all of them. */
  training: Schema.Int,
  /** Number of seeded random points within the range and far outside it. */
  random: Schema.Int,
  /** Number of examples with NaN, ∞ or −∞ in one column or in all of them. */
  notFinite: Schema.Int,
  /** Number of rows of the largest batches; 1,000 where absent, fewer where a model's arrays are too large for that many examples in memory. */
  batch: Schema.optionalKey(Schema.Int),
  /** Tolerance of the batch where float32 leaves most uncertain; absent where the record's tolerance held everywhere. */
  tolerance: Schema.optionalKey(Schema.Finite),
  maxAbsDifference: Schema.Finite,
  maxRelativeDifference: Schema.Finite
})

/**
 * Content of `model.parity.json` beside `model.onnx`. Where an input is NaN or infinite, the free run is that of the reference engine, by the
 * formulas as written: fused kernels, such as TensorFlow's ReLU after a product, lose a NaN that the formula keeps.
 */
export class ParityRecord extends Schema.Class<ParityRecord>("ParityRecord")({
  format: Schema.Literal("rai parity 1"),
  model: Schema.String,
  /** SHA-256 of the model's file. */
  sha256: Schema.String,
  /** SHA-256 of each file beside the model that holds weights of it, by name; absent where the model holds all of them. */
  external: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  /** SHA-256 of the parameters, as in the model's metadata. */
  parameters: Schema.String,
  opset: Schema.Int,
  engine: Schema.String,
  versions: Schema.Struct({ rai: Schema.String, onnxruntime: Schema.String, node: Schema.String }),
  /** ρ: how far the engine's float32 is from the free run in float64, max |b − b₆₄| / (1 + |b₆₄|). */
  rounding: Schema.Finite,
  /** Number of samples that ρ is measured on, those where the two sides differ most; absent where float64 was affordable for all of them. */
  roundingOn: Schema.optionalKey(Schema.Int),
  /** 1e-5 + 8 ρ; see `weights` for int8. */
  tolerance: Schema.Finite,
  /** For a regression with values below 1 throughout a column, what replaces the 1 in all of these formulas, by column; see `Agreement.Sizes`. */
  sizes: Schema.optionalKey(Schema.Array(Schema.Finite)),
  examples: Schema.Int,
  /** max |a − b| */
  maxAbsDifference: Schema.Finite,
  /** max |a − b| / (1 + |b|) */
  maxRelativeDifference: Schema.Finite,
  /**
   * What smaller weights cost, compared with the free run of the trained ones. In float16 the rest of the record is about the weights as stored,
   * rounded; in int8 it is about the trained ones, the tolerance is twice what was found, and nothing non-finite is compared.
   */
  weights: Schema.optionalKey(
    Schema.Struct({
      kept: Schema.Literals(["float16", "int8"]),
      examples: Schema.Int,
      maxAbsDifference: Schema.Finite,
      maxRelativeDifference: Schema.Finite,
      /** Number of examples whose class changes. */
      otherClass: Schema.optionalKey(Schema.Int),
      /** How well the examples' targets are met by the trained weights and by the stored ones; absent where none were given. */
      targets: Schema.optionalKey(Schema.Struct({ before: Met, after: Met }))
    })
  ),
  /**
   * Differences for the same examples on a GPU, where the machine that wrote the model has one; recorded, but held to no tolerance, as products
   * there may have fewer bits.
   */
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

/** Number of values of one example. */
export const widthOf = ({ data, shape }: NdArray.NdArray): number => data.length / shape[0]! || 1

/** Converts an array [examples, …] to rows of readable numbers, one per example. */
export const toRows = (array: NdArray.NdArray): Rows =>
  Samples.rows(array, widthOf(array)).map((row) => row.map((x) => real(shortest(x))))

/** A number as the record holds it. */
export const real = (x: number): typeof Real.Type => (Number.isFinite(x) ? x : (String(x) as "NaN"))

/** Converts rows to a float32 matrix. */
export const fromRows = (rows: Rows): NdArray.NdArray =>
  NdArray.make([rows.length, rows[0]!.length], rows.flat().map(Number))

/** Prints the record as text, one sample per line. */
export const print = (record: ParityRecord): string => {
  const text = JSON.stringify(Schema.encodeSync(ParityRecord)(record), null, 2)
  return `${text.replace(/\[\n\s+([^[\]{}]*?)\n\s+\]/g, (_, row: string) => `[${row.replace(/,\n\s+/g, ", ")}]`)}\n`
}

const Text = Schema.fromJsonString(ParityRecord)

/** Parses a record that `print` wrote; fails with `RecordInvalid` also where it holds fewer samples than it says, and so proves nothing. */
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
