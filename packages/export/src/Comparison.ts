/**
 * Compares a model with its circuit's free run on all examples, batch by batch.
 */
import { type Engine, NdArray, type Program, ReferenceEngine, type Tensor } from "@rai/core"
import { Effect, Record } from "effect"
import * as Agreement from "./Agreement.ts"
import type * as Onnxruntime from "./Onnxruntime.ts"

/** What is compared, and how far the two may differ. */
export interface Sides<R> {
  readonly file: string
  /** Number of rows of the largest batches. */
  readonly batch: number
  readonly freeRun: (x: NdArray.NdArray) => Effect.Effect<Engine.Arrays, Engine.EngineFailed, R>
  /** The free run's answers in float32, as a model computes: those given, or another engine's. */
  readonly inFloat32: (
    x: NdArray.NdArray,
    answers: Engine.Arrays
  ) => Effect.Effect<Engine.Arrays, Engine.EngineFailed, R>
  readonly model: (x: NdArray.NdArray) => Effect.Effect<Engine.Arrays, Onnxruntime.OnnxruntimeFailed>
  readonly tolerance: number
  readonly sizes: Agreement.Sizes
}

/** Number of rows of the largest batches where memory allows. */
export const most = 1000

/** Most numbers that an array of a batch may hold: 1 GiB in float32. */
const mostNumbers = 2 ** 28

/** Number of rows of the largest batches: `most`, or as many as memory holds of the widest array that the program makes of each example. */
export const batchOf = ({ nodes }: Program.Program): number => {
  const numbers = ({ shape }: Tensor.Tensor) =>
    shape.every((n) => typeof n === "number")
      ? 1
      : shape.reduce<number>((n, m) => (typeof m === "number" ? n * m : n), 1)
  const widest = nodes.reduce((largest, node) => Math.max(largest, numbers(node)), 1)
  return Math.max(1, Math.min(most, Math.floor(mostNumbers / widest)))
}

/** Number of rows that fill one batch of each length. */
export const least = (batch: number): number => 1 + 7 + batch

/** Splits the rows [examples, inputs] into batches of 1, 7, and then `batch`. */
export const inTurn = (
  rows: NdArray.NdArray,
  batch: number
): ReadonlyArray<{ readonly from: number; readonly x: NdArray.NdArray }> => {
  const [examples = 0, inputs = 0] = rows.shape
  const found = []
  for (let [from, to] = [0, 0]; from < examples; from = to) {
    to = Math.min(examples, from + Math.min(batch, [1, 7][found.length] ?? batch))
    found.push({ from, x: NdArray.make([to - from, inputs], rows.data.subarray(from * inputs, to * inputs)) })
  }
  return found
}

/** Number of rows that a batch's rounding is measured on, those where the sides differ most: all rows would take long in float64. */
const decisive = 64

const rowsOf = (
  { data, shape: [all = 1, ...inner] }: NdArray.NdArray,
  rows: ReadonlyArray<number>
): NdArray.NdArray => {
  const width = data.length / all
  const picked = data.slice(0, rows.length * width)
  for (const [to, from] of rows.entries()) picked.set(data.subarray(from * width, (from + 1) * width), to * width)
  return { shape: [rows.length, ...inner], data: picked }
}

/**
 * Returns the largest differences over all the rows [examples, inputs], and the largest tolerance of a batch where float32 leaves more uncertain
 * than `tolerance`; fails with `ParityLost` where a difference exceeds the tolerance of its batch.
 */
export const everywhere = Effect.fn("Comparison.everywhere")(function* <R extends Engine.Engine>(
  { batch, file, freeRun, inFloat32, model, sizes, tolerance }: Sides<R>,
  rows: NdArray.NdArray
) {
  let differences: Agreement.Differences & { readonly tolerance?: number } = {
    maxAbsDifference: 0,
    maxRelativeDifference: 0
  }
  for (const { from, x } of inTurn(rows, batch)) {
    const expected = yield* freeRun(x)
    const came = yield* model(x)
    yield* Agreement.compare(file, 0, Agreement.labels(came))
    const outputs = Agreement.sides(expected, came)
    const found = yield* Agreement.compare(file, tolerance, outputs, sizes).pipe(
      // The recorded samples may all lie where the circuit is flat; here the batch's own rounding decides.
      Effect.catch(() =>
        Effect.gen(function* () {
          const some = Agreement.furthest(outputs, decisive, sizes)
          const those = rowsOf(x, some)
          const answers = Record.map(expected, (y) => rowsOf(y, some))
          const rounding = Agreement.rounding(yield* inFloat32(those, answers), yield* exactly(freeRun(those)), sizes)
          const own = Agreement.toleranceAt(rounding)
          differences = { ...differences, tolerance: Math.max(own, differences.tolerance ?? tolerance) }
          return yield* Agreement.compare(file, own, outputs, sizes)
        })
      ),
      Effect.mapError((lost) =>
        lost instanceof Agreement.ParityLost ? new Agreement.ParityLost({ ...lost, sample: lost.sample + from }) : lost
      )
    )
    differences = { ...differences, ...Agreement.larger(differences, found) }
  }
  return differences
})

/** Runs the same in float64 on the reference engine, by the formulas as written. */
export const exactly = <A, E, R>(freeRun: Effect.Effect<A, E, R>) => Effect.provide(freeRun, ReferenceEngine.layer)
