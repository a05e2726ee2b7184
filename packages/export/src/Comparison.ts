/**
 * Compares a model with its circuit's free run on all examples, batch by batch.
 */
import { Cost, type Engine, NdArray, type Program, ReferenceEngine, Rewrite, Shape } from "@rai/core"
import { Effect, Record } from "effect"
import * as Agreement from "./Agreement.ts"
import type * as Onnxruntime from "./Onnxruntime.ts"

/** What is compared, and how far the two may differ. */
export interface Sides<R> {
  readonly file: string
  readonly extent: Extent
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

/** Most bytes that a batch may hold at once: of inputs and of what the program computes, in float32. */
const mostBytes = 2 ** 27

/** Operations that are spent in float64 on one set of rows: half a minute or so on the reference engine. */
const mostOperations = 2 ** 35

/** What moving one byte of a float32 array costs there, in floating-point operations. */
const perByte = 6

/** Fewest rows that are computed in float64, whatever they cost. */
const fewest = 6

/** How many rows of a program are computed at a time, and how many of them in float64. */
export interface Extent {
  /** Number of rows of the largest batches: `most`, or as many as memory holds of what lives at once. */
  readonly batch: number
  /** Number of rows that are computed in float64, where all of them would take minutes. */
  readonly exact: number
}

const sized = (rows: number) => new Map([["batch", rows]])

/** Bytes that a program holds at once for so many rows, the rows themselves among them. */
const heldFor = (program: Program.Program, rows: number): number =>
  Object.values(program.inputs)
    .filter(({ shape }) => shape.some((n) => typeof n === "string"))
    .reduce(
      (bytes, { shape }) => bytes + 4 * NdArray.size(Shape.resolve(shape, sized(rows))),
      Cost.held(program, sized(rows))
    )

/** The extent that fits a program. */
export const extentOf = (program: Program.Program): Extent => {
  const once = heldFor(program, 1)
  const each = Math.max(1, heldFor(program, 2) - once)
  const { bytes, flops } = Cost.cost(Rewrite.expand(program), sized(1))
  return {
    batch: Math.max(1, Math.min(most, 1 + Math.floor((mostBytes - once) / each))),
    exact: Math.max(fewest, Math.min(most, Math.floor(mostOperations / (flops + perByte * bytes))))
  }
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
 * ρ of `Agreement.rounding` on at most `count` of the rows x, and no more than the extent allows: where these are not all, on those where the sides
 * differ most.
 */
export const roundingOn = Effect.fnUntraced(function* <R extends Engine.Engine>(
  { extent, freeRun, inFloat32, sizes }: Pick<Sides<R>, "extent" | "freeRun" | "inFloat32" | "sizes">,
  x: NdArray.NdArray,
  answers: Engine.Arrays,
  outputs: Agreement.Sides,
  count = most
) {
  const [all = 0] = x.shape
  const rows = Math.min(all, count, extent.exact)
  const some = rows < all ? Agreement.furthest(outputs, rows, sizes) : undefined
  const of = (array: NdArray.NdArray) => (some === undefined ? array : rowsOf(array, some))
  const [those, own] = [of(x), Record.map(answers, of)]
  const rounding = Agreement.rounding(yield* inFloat32(those, own), yield* exactly(freeRun, extent)(those), sizes)
  return { rounding, ...(some && { roundingOn: rows }) }
})

/**
 * Returns the largest differences over all the rows [examples, inputs], and the largest tolerance of a batch where float32 leaves more uncertain
 * than `tolerance`; fails with `ParityLost` where a difference exceeds the tolerance of its batch.
 */
export const everywhere = Effect.fn("Comparison.everywhere")(function* <R extends Engine.Engine>(
  { extent, file, freeRun, inFloat32, model, sizes, tolerance }: Sides<R>,
  rows: NdArray.NdArray
) {
  let differences: Agreement.Differences & { readonly tolerance?: number } = {
    maxAbsDifference: 0,
    maxRelativeDifference: 0
  }
  for (const { from, x } of inTurn(rows, extent.batch)) {
    const expected = yield* freeRun(x)
    const came = yield* model(x)
    yield* Agreement.compare(file, 0, Agreement.labels(came))
    const outputs = Agreement.sides(expected, came)
    const found = yield* Agreement.compare(file, tolerance, outputs, sizes).pipe(
      // The recorded samples may all lie where the circuit is flat; here the batch's own rounding decides.
      Effect.catch(() =>
        Effect.gen(function* () {
          const { rounding } = yield* roundingOn({ extent, freeRun, inFloat32, sizes }, x, expected, outputs, decisive)
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

/** Answers of several rows, each part after the one before. */
const oneAfterTheOther = (parts: ReadonlyArray<Engine.Arrays>): Engine.Arrays =>
  Record.map(parts[0]!, ({ data, shape: [, ...inner] }, name) => {
    const own = parts.map((part) => part[name]!)
    const rows = own.reduce((sum, { shape }) => sum + shape[0]!, 0)
    const whole = new (data.constructor as Float64ArrayConstructor)(rows * NdArray.size(inner))
    let at = 0
    for (const part of own) {
      whole.set(part.data, at)
      at += part.data.length
    }
    return { shape: [rows, ...inner], data: whole }
  })

/** Answers rows at most `count` at a time: memory is bounded, and in between a program can be interrupted. */
export const inParts = <E, R>(answer: (x: NdArray.NdArray) => Effect.Effect<Engine.Arrays, E, R>, count: number) =>
  Effect.fnUntraced(function* (rows: NdArray.NdArray) {
    const [examples = 0] = rows.shape
    const parts: Array<Engine.Arrays> = []
    for (let from = 0; from < examples; from += count) {
      const part = Array.from({ length: Math.min(count, examples - from) }, (_, i) => from + i)
      parts.push(yield* answer(examples <= count ? rows : rowsOf(rows, part)))
      yield* Effect.yieldNow
    }
    return oneAfterTheOther(parts)
  })

/** Runs the same in float64 on the reference engine, by the formulas as written; its arrays are of twice the size, and none of them are views. */
export const exactly = <E, R>(freeRun: (x: NdArray.NdArray) => Effect.Effect<Engine.Arrays, E, R>, { batch }: Extent) =>
  inParts((x) => Effect.provide(freeRun(x), ReferenceEngine.layer), Math.max(1, Math.floor(batch / 8)))
