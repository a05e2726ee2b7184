/**
 * Whether a model answers as its circuit's free run does: how far the two may differ, and how far they do.
 */
import { type Dataset, type Engine, Metrics, type NdArray } from "@rai/core"
import { Effect, Schema } from "effect"
import * as Parity from "./Parity.ts"
import * as Samples from "./Samples.ts"

/**
 * Smallest tolerance, in |a − b| ≤ tolerance · (1 + |b|) with a the model's answer and b the free run's. A deep circuit amplifies the rounding of
 * every float32 engine, so there the tolerance is what float32 itself leaves uncertain; see `toleranceAt`. For values that are small throughout,
 * their own size replaces the 1; see `Sizes`.
 */
export const least = 1e-5

/**
 * Tolerance where the engine's own rounding is ρ = max |b − b₆₄| / (1 + |b₆₄|), with b₆₄ the free run in float64: least + 8 ρ. The model and the
 * engine may err in opposite directions, and where a circuit is steepest either may be several ρ off.
 */
export const toleranceAt = (rounding: number): number => least + 8 * rounding

/** Tolerance for weights in int8: `least` plus twice the difference that was found. */
export const toleranceOf = ({ maxRelativeDifference }: Pick<Differences, "maxRelativeDifference">): number =>
  least + 2 * maxRelativeDifference

/**
 * Size of each column of a regression's values, at most 1: beside a 1, differences of smaller values would go unnoticed. Empty for all other
 * answers, whose differences a 1 does not hide.
 */
export type Sizes = ReadonlyArray<number>

/** Sizes of these answers: max |b| of each column, or 1 where that is larger than 1 or is 0; empty where all are 1. */
export const sizesOf = ({ value }: Engine.Arrays): Sizes => {
  const examples = value?.shape[0] ?? 0
  const width = value === undefined ? 0 : Parity.widthOf(value)
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

const sizeAt = (sizes: Sizes, output: string, column: number): number => (output === "value" ? (sizes[column] ?? 1) : 1)

/** ρ of `toleranceAt`; non-finite differences do not count, as they are compared separately. */
export const rounding = (engine: Engine.Arrays, float64: Engine.Arrays, sizes: Sizes): number =>
  Object.entries(float64).reduce((most, [name, answers]) => {
    let largest = most
    const width = Parity.widthOf(answers)
    for (const [i, b] of answers.data.entries()) {
      const relative = distance(engine[name]!.data[i]!, b) / (sizeAt(sizes, name, i % width) + Math.abs(b))
      if (Number.isFinite(relative)) largest = Math.max(largest, relative)
    }
    return largest
  }, 0)

/** Answers of the free run and of the model, by output. */
export type Sides = Parity.ParityRecord["outputs"]

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

/** A circuit that answers nothing: two sides that are both NaN would agree. */
export class AnswersNotFinite extends Schema.TaggedError<AnswersNotFinite>()("AnswersNotFinite", {
  file: Schema.String,
  output: Schema.String
}) {
  override get message(): string {
    return `${this.file}: expected a circuit that answers with numbers, but its output «${this.output}» is not finite for any sample; look at its parameters, and train it again`
  }
}

/** Fails where an output is not finite for any of the samples. */
export const someFinite = Effect.fnUntraced(function* (file: string, answers: Engine.Arrays) {
  for (const [output, { data }] of Object.entries(answers)) {
    if (!data.some(Number.isFinite)) return yield* new AnswersNotFinite({ file, output })
  }
})

/** |a − b|, where NaN equals NaN and infinities equal by sign; otherwise ∞ where either is not finite. */
const distance = (a: number, b: number): number => {
  if (Object.is(a, b) || a === b) return 0
  return Number.isFinite(a) && Number.isFinite(b) ? Math.abs(a - b) : Number.POSITIVE_INFINITY
}

/** How far two sides differ: max |a − b| and max |a − b| / (1 + |b|). */
export type Differences = Pick<Parity.ParityRecord, "maxAbsDifference" | "maxRelativeDifference">

/** The larger of each difference. */
export const larger = (a: Differences, b: Differences): Differences => ({
  maxAbsDifference: Math.max(a.maxAbsDifference, b.maxAbsDifference),
  maxRelativeDifference: Math.max(a.maxRelativeDifference, b.maxRelativeDifference)
})

/** How well the answers [examples, outputs], logits or values, meet the targets. */
export const met = (task: Dataset.Task, targets: NdArray.NdArray, answers: NdArray.NdArray): Parity.Met => {
  const found = Metrics.of(task, targets, answers)
  return found.task === "regression"
    ? { r2: Parity.real(found.r2), rootMeanSquaredError: Parity.real(found.rootMeanSquaredError) }
    : { accuracy: Parity.real(found.accuracy) }
}

/** |a − b| / (size + |b|), and |a − b| itself, for one number. */
const apartAt = (onnxruntime: Parity.Rows, sample: number, column: number, real: number | string, size: number) => {
  const [came, expected] = [Number(onnxruntime[sample]?.[column] ?? Number.NaN), Number(real)]
  const difference = distance(came, expected)
  const finite = difference > 0 && Number.isFinite(difference)
  return { came, expected, difference, relative: finite ? difference / (size + Math.abs(expected)) : difference }
}

/** The `count` samples whose answers differ most, the largest difference first. */
export const furthest = (outputs: Sides, count: number, sizes: Sizes): ReadonlyArray<number> => {
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

/** Returns the largest differences over all outputs; fails with `ParityLost` where one exceeds the tolerance. */
export const compare = Effect.fnUntraced(function* (
  file: string,
  tolerance: number,
  outputs: Sides,
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

/**
 * All outputs but labels: two sides that agree on probabilities may differ in the class where these are nearly equal, so labels are checked by
 * `labels` instead.
 */
const reals = (outputs: Engine.Arrays) => Object.entries(outputs).filter(([name]) => name !== "label")

/** How far two free runs differ where both are finite. */
export const apart = (before: Engine.Arrays, after: Engine.Arrays, sizes: Sizes): Differences => {
  let found: Differences = { maxAbsDifference: 0, maxRelativeDifference: 0 }
  for (const [name, answers] of reals(before)) {
    const width = Parity.widthOf(answers)
    for (const [i, b] of answers.data.entries()) {
      const difference = Math.abs(after[name]!.data[i]! - b)
      if (!Number.isFinite(difference)) continue
      const relative = difference / (sizeAt(sizes, name, i % width) + Math.abs(b))
      found = larger(found, { maxAbsDifference: difference, maxRelativeDifference: relative })
    }
  }
  return found
}

/** A model's labels, beside those that follow from its own probabilities. */
export const labels = ({ label, probability }: Engine.Arrays): Sides => {
  if (label === undefined || probability === undefined) return {}
  const said = Samples.rows(probability, probability.shape[1]!).map((row) => [
    row.length === 1 ? Number(row[0]! > 0.5) : mostProbable(row)
  ])
  return { label: { freeRun: said, onnxruntime: Samples.rows(label, 1) } }
}

/** Index of the largest number, the first of equal ones; NaN is less than any number. */
const mostProbable = (row: ReadonlyArray<number>): number =>
  row.reduce((best, p, k) => (p > (Number.isNaN(row[best]!) ? Number.NEGATIVE_INFINITY : row[best]!) ? k : best), 0)

/** The outputs of the free run and of the model side by side, as rows. */
export const pair = (freeRun: Engine.Arrays, onnxruntime: Engine.Arrays): Sides =>
  Object.fromEntries(
    reals(freeRun).map(([name, expected]) => {
      const came = onnxruntime[name] ?? { shape: [0, 1], data: new Float32Array() }
      return [name, { freeRun: Parity.toRows(expected), onnxruntime: Parity.toRows(came) }]
    })
  )

/** Like `pair` but unrounded, for what is compared and not recorded. */
export const sides = (freeRun: Engine.Arrays, onnxruntime: Engine.Arrays): Sides =>
  Object.fromEntries(
    reals(freeRun).map(([name, expected]) => {
      const width = Parity.widthOf(expected)
      return [name, { freeRun: Samples.rows(expected, width), onnxruntime: Samples.rows(onnxruntime[name], width) }]
    })
  )

/** The samples of both, one after the other. */
export const joined = (first: Sides, second: Sides): Sides =>
  Object.fromEntries(
    Object.entries(first).map(([name, { freeRun, onnxruntime }]) => [
      name,
      {
        freeRun: [...freeRun, ...second[name]!.freeRun],
        onnxruntime: [...onnxruntime, ...second[name]!.onnxruntime]
      }
    ])
  )
