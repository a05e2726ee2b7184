/**
 * The record that proves parity: sample inputs, what the circuit's free run answers to them, what the exported model answers.
 */
import { type Dataset, type Engine, Metrics, NdArray } from "@rai/core"
import { Effect, Schema } from "effect"
import * as Samples from "./Samples.ts"

/**
 * |a − b| ≤ tolerance · (1 + |b|), with a the model's answer and b the free run's: the least that is asked. A deep circuit enlarges
 * rounding, of every float32 engine alike, so there the tolerance is what float32 itself leaves open; see `toleranceAt`. Of values that are
 * small throughout, their own size stands in the place of 1; see `Sizes`.
 */
export const least = 1e-5

/**
 * The tolerance where the engine's own rounding is ρ = max |b − b₆₄| / (1 + |b₆₄|), with b₆₄ the free run in float64: least + 8 ρ. The model
 * and the engine stand on either side of the truth, and where a circuit is steepest one of them may stand several ρ away.
 */
export const toleranceAt = (rounding: number): number => least + 8 * rounding

/** The tolerance of weights in int8: twice the cost that was found. */
export const toleranceOf = ({ maxRelativeDifference }: Pick<Differences, "maxRelativeDifference">): number =>
  least + 2 * maxRelativeDifference

/** How large each column of a regression's values is where that is below 1; nothing of all other answers, for which 1 is no size to hide in. */
export type Sizes = ReadonlyArray<number>

/** The sizes of these answers: max |b| of each column, 1 of one that is larger, or that is 0 throughout; none where all are 1. */
export const sizesOf = ({ value }: Engine.Arrays): Sizes => {
  const examples = value?.shape[0] ?? 0
  const width = value === undefined ? 0 : widthOf(value)
  const sizes = Array.from({ length: width }, (_, k) => {
    let size = 0
    for (let i = 0; i < examples; i++) {
      const answer = Math.abs(value!.data[i * width + k]!)
      if (Number.isFinite(answer)) size = Math.max(size, answer)
    }
    return size === 0 ? 1 : Math.min(1, size)
  })
  return sizes.every((size) => size === 1) ? [] : sizes
}

/** Numbers of one example. */
const widthOf = ({ data, shape }: NdArray.NdArray): number => data.length / shape[0]! || 1

const sizeAt = (sizes: Sizes, output: string, column: number): number => (output === "value" ? (sizes[column] ?? 1) : 1)

/** ρ of `toleranceAt`; not finite differences do not count, they are compared by themselves. */
export const rounding = (engine: Engine.Arrays, float64: Engine.Arrays, sizes: Sizes): number =>
  Object.entries(float64).reduce((most, [name, answers]) => {
    let largest = most
    const width = widthOf(answers)
    for (const [i, b] of answers.data.entries()) {
      const relative = distance(engine[name]!.data[i]!, b) / (sizeAt(sizes, name, i % width) + Math.abs(b))
      if (Number.isFinite(relative)) largest = Math.max(largest, relative)
    }
    return largest
  }, 0)

// JSON has no such numbers, so they go as text.
const Real = Schema.Union([Schema.Finite, Schema.Literals(["NaN", "Infinity", "-Infinity"])])

const Rows = Schema.Array(Schema.Array(Real))

type Rows = typeof Rows.Type

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
  /** Of a regression whose values are below 1 throughout, what stands in the place of 1 wherever it is said, by column; see `Sizes`. */
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

/** A model that does not answer as its circuit does. */
export class ParityLost extends Schema.TaggedError<ParityLost>()("ParityLost", {
  file: Schema.String,
  output: Schema.String,
  sample: Schema.Int,
  expected: Schema.Number,
  came: Schema.Number,
  tolerance: Schema.Finite,
  /** 1, or the size of small values. */
  size: Schema.Finite
}) {
  override get message(): string {
    return `${this.file}: expected onnxruntime to answer as the free run does, |a − b| ≤ ${this.tolerance} (${this.size} + |b|), but for sample ${this.sample} the output «${this.output}» is ${this.came} where the free run gives ${this.expected}; do not use this model, train or export it again`
  }
}

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

/** An array [examples, …] as rows of readable numbers, one an example. */
export const toRows = (array: NdArray.NdArray): Rows =>
  Samples.rows(array, widthOf(array)).map((row) => row.map((x) => real(shortest(x))))

const real = (x: number): typeof Real.Type => (Number.isFinite(x) ? x : (String(x) as "NaN"))

/** Rows as a matrix in float32. */
export const fromRows = (rows: Rows): NdArray.NdArray =>
  NdArray.make([rows.length, rows[0]!.length], rows.flat().map(Number))

/** NaN equals NaN, infinities equal by sign; else the distance, ∞ where only one is finite. */
const distance = (a: number, b: number): number => {
  if (Object.is(a, b) || a === b) return 0
  return Number.isFinite(a) && Number.isFinite(b) ? Math.abs(a - b) : Number.POSITIVE_INFINITY
}

/** How far two sides are apart: max |a − b| and max |a − b| / (1 + |b|). */
export type Differences = Pick<ParityRecord, "maxAbsDifference" | "maxRelativeDifference">

/** The larger of each. */
export const larger = (a: Differences, b: Differences): Differences => ({
  maxAbsDifference: Math.max(a.maxAbsDifference, b.maxAbsDifference),
  maxRelativeDifference: Math.max(a.maxRelativeDifference, b.maxRelativeDifference)
})

/** How well the answers [examples, outputs], logits or values, meet the targets. */
export const met = (task: Dataset.Task, targets: NdArray.NdArray, answers: NdArray.NdArray): Met => {
  const found = Metrics.of(task, targets, answers)
  return found.task === "regression"
    ? { r2: real(found.r2), rootMeanSquaredError: real(found.rootMeanSquaredError) }
    : { accuracy: real(found.accuracy) }
}

/** |a − b| / (size + |b|), and |a − b| itself, of one number. */
const apartAt = (onnxruntime: Rows, sample: number, column: number, real: typeof Real.Type, size: number) => {
  const [came, expected] = [Number(onnxruntime[sample]?.[column] ?? Number.NaN), Number(real)]
  const difference = distance(came, expected)
  const finite = difference > 0 && Number.isFinite(difference)
  return { came, expected, difference, relative: finite ? difference / (size + Math.abs(expected)) : difference }
}

/** The `count` samples whose answers are furthest apart, the furthest first. */
export const furthest = (outputs: ParityRecord["outputs"], count: number, sizes: Sizes): ReadonlyArray<number> => {
  const most: Array<number> = []
  for (const [output, { freeRun, onnxruntime }] of Object.entries(outputs)) {
    for (const [sample, row] of freeRun.entries()) {
      for (const [column, real] of row.entries()) {
        const { relative } = apartAt(onnxruntime, sample, column, real, sizeAt(sizes, output, column))
        most[sample] = Math.max(most[sample] ?? 0, relative)
      }
    }
  }
  return [...most.keys()].sort((a, b) => most[b]! - most[a]!).slice(0, count)
}

/** The largest differences over all outputs; fails where one is beyond the tolerance. */
export const compare = Effect.fnUntraced(function* (
  file: string,
  tolerance: number,
  outputs: Readonly<Record<string, { readonly freeRun: Rows; readonly onnxruntime: Rows }>>,
  sizes: Sizes = []
) {
  let [maxAbsDifference, maxRelativeDifference] = [0, 0]
  for (const [output, { freeRun, onnxruntime }] of Object.entries(outputs)) {
    for (const [sample, row] of freeRun.entries()) {
      for (const [column, real] of row.entries()) {
        const size = sizeAt(sizes, output, column)
        const { came, difference, expected, relative } = apartAt(onnxruntime, sample, column, real, size)
        if (relative > tolerance) {
          return yield* new ParityLost({ file, output, sample, expected, came, tolerance, size })
        }
        maxAbsDifference = Math.max(maxAbsDifference, difference)
        maxRelativeDifference = Math.max(maxRelativeDifference, relative)
      }
    }
  }
  return { maxAbsDifference, maxRelativeDifference }
})

/** Two that agree on probabilities may part on the class where these are as good as equal, so labels are held to `labels` instead. */
const reals = (outputs: Engine.Arrays) => Object.entries(outputs).filter(([name]) => name !== "label")

/** How far two free runs are apart where both are finite. */
export const apart = (before: Engine.Arrays, after: Engine.Arrays, sizes: Sizes): Differences => {
  let found: Differences = { maxAbsDifference: 0, maxRelativeDifference: 0 }
  for (const [name, answers] of reals(before)) {
    const width = widthOf(answers)
    for (const [i, b] of answers.data.entries()) {
      const difference = Math.abs(after[name]!.data[i]! - b)
      if (!Number.isFinite(difference)) continue
      const relative = difference / (sizeAt(sizes, name, i % width) + Math.abs(b))
      found = larger(found, { maxAbsDifference: difference, maxRelativeDifference: relative })
    }
  }
  return found
}

/** The labels that a model gives, beside those that its own probabilities say. */
export const labels = ({ label, probability }: Engine.Arrays): ParityRecord["outputs"] => {
  if (label === undefined || probability === undefined) return {}
  const said = Samples.rows(probability, probability.shape[1]!).map((row) => [
    row.length === 1 ? Number(row[0]! > 0.5) : mostProbable(row)
  ])
  return { label: { freeRun: said, onnxruntime: Samples.rows(label, 1) } }
}

/** The first of the largest; NaN is less than any number. */
const mostProbable = (row: ReadonlyArray<number>): number =>
  row.reduce((best, p, k) => (p > (Number.isNaN(row[best]!) ? Number.NEGATIVE_INFINITY : row[best]!) ? k : best), 0)

/** The outputs of the free run and of the model side by side, as rows. */
export const pair = (freeRun: Engine.Arrays, onnxruntime: Engine.Arrays): ParityRecord["outputs"] =>
  Object.fromEntries(
    reals(freeRun).map(([name, expected]) => {
      const came = onnxruntime[name] ?? { shape: [0, 1], data: new Float32Array() }
      return [name, { freeRun: toRows(expected), onnxruntime: toRows(came) }]
    })
  )

/** The same unrounded, for what is compared and not recorded. */
export const sides = (freeRun: Engine.Arrays, onnxruntime: Engine.Arrays): ParityRecord["outputs"] =>
  Object.fromEntries(
    reals(freeRun).map(([name, expected]) => {
      const width = widthOf(expected)
      return [name, { freeRun: Samples.rows(expected, width), onnxruntime: Samples.rows(onnxruntime[name], width) }]
    })
  )

/** The samples of both, one after the other. */
export const joined = (first: ParityRecord["outputs"], second: ParityRecord["outputs"]): ParityRecord["outputs"] =>
  Object.fromEntries(
    Object.entries(first).map(([name, { freeRun, onnxruntime }]) => [
      name,
      {
        freeRun: [...freeRun, ...second[name]!.freeRun],
        onnxruntime: [...onnxruntime, ...second[name]!.onnxruntime]
      }
    ])
  )

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
