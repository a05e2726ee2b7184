/**
 * Labelled examples as read from a file, before anything is learned from their columns: split these first, so that preprocessing is learned from
 * the training part alone.
 */
import { Effect, Function, Pipeable } from "effect"
import * as Batches from "./Batches.ts"
import type * as Cells from "./Cells.ts"
import type { DataInvalid } from "./DataInvalid.ts"
import * as Dataset from "./Dataset.ts"
import * as Preprocessing from "./Preprocessing.ts"
import * as Strata from "./Strata.ts"
import type * as Targets from "./Targets.ts"

/** The parts of a frame. */
export interface Parts extends Cells.Cells, Targets.Targets {}

/** Immutable raw columns with targets. */
export interface Frame extends Parts, Pipeable.Pipeable {}

/** Creates a frame from its parts. */
export const of = (parts: Parts): Frame => Object.assign(Object.create(Pipeable.Prototype), parts)

/** Treats a data set's inputs as raw columns of numbers, for instance to standardise them. */
export const ofDataset = (data: Dataset.Dataset, source = "data set"): Frame => {
  const { classNames, inputNames, inputs, targets, task } = data
  const columns = inputNames.map((name) => ({ name }))
  return of({ source, columns, cells: inputs, targets, task, ...(classNames && { classNames }) })
}

/** Number of examples. */
export const examples = (frame: Frame): number => frame.targets.shape[0]!

/** Selects the examples at `indices`, each in [0, examples), in that order. */
export const select: {
  (indices: ArrayLike<number>): (frame: Frame) => Frame
  (frame: Frame, indices: ArrayLike<number>): Frame
} = Function.dual(2, (frame: Frame, indices: ArrayLike<number>) =>
  of({
    ...frame,
    cells: Batches.rows(frame.cells, indices),
    targets: Batches.rows(frame.targets, indices),
    ...(frame.lines && { lines: Int32Array.from(indices, (i) => frame.lines![i]!) })
  })
)

/** Holds out a share of the examples, stratified by class, as `Dataset.split` does. */
export const split: {
  (options: Strata.Options): (frame: Frame) => Effect.Effect<Strata.Two<Frame>, DataInvalid>
  (frame: Frame, options: Strata.Options): Effect.Effect<Strata.Two<Frame>, DataInvalid>
} = Function.dual(2, (frame: Frame, options: Strata.Options) => Strata.two(frame, options, select))

/** Divides examples into training, validation and test as `Dataset.divide` does. */
export const divide: {
  (shares: Strata.Shares): (frame: Frame) => Effect.Effect<Strata.Three<Frame>, DataInvalid>
  (frame: Frame, shares: Strata.Shares): Effect.Effect<Strata.Three<Frame>, DataInvalid>
} = Function.dual(2, (frame: Frame, shares: Strata.Shares) => Strata.three(frame, shares, select))

/**
 * Applies preprocessing to raw columns; the data set keeps it unless it is the identity. Fails as `Preprocessing.encode` does.
 *
 * ```ts
 * import { Csv, Frame, Preprocessing } from "@rai/core"
 * import { Effect, FileSystem, Stream } from "effect"
 *
 * const text = "height,colour,kind\n1,red,cat\n3,,dog\n2,blue,cat\n4,red,dog\n"
 * const files = FileSystem.layerNoop({
 *   stat: () => Effect.succeed({ type: "File" } as FileSystem.File.Info),
 *   stream: () => Stream.make(new TextEncoder().encode(text))
 * })
 * const rules = { categorical: ["colour"], missing: "mean", standardise: true, unseen: "zeros" } as const
 * const program = Effect.gen(function*() {
 *   const { test, train } = yield* Csv.frame("animals.csv", rules).pipe(Effect.flatMap(Frame.split({ share: 0.5 })))
 *   const preprocessing = yield* Preprocessing.fit(train, rules) // from the training part alone
 *   return [yield* Frame.toDataset(train, preprocessing), yield* Frame.toDataset(test, preprocessing)] as const
 * })
 * const [train, test] = await Effect.runPromise(program.pipe(Effect.provide(files)))
 * train.inputs.shape[0] // => 2
 * test.inputNames.join() === train.inputNames.join() // => true
 * ```
 */
export const toDataset: {
  (preprocessing: Preprocessing.Preprocessing): (frame: Frame) => Effect.Effect<Dataset.Dataset, DataInvalid>
  (frame: Frame, preprocessing: Preprocessing.Preprocessing): Effect.Effect<Dataset.Dataset, DataInvalid>
} = Function.dual(
  2,
  Effect.fn("Frame.toDataset")(function* (frame: Frame, preprocessing: Preprocessing.Preprocessing) {
    const { classNames, source, targets, task } = frame
    const inputs = yield* Preprocessing.encode(preprocessing, frame)
    const kept = Preprocessing.isIdentity(preprocessing) ? {} : { preprocessing }
    const inputNames = Preprocessing.features(preprocessing)
    return yield* Dataset.make(
      { inputs, inputNames, targets, task, ...(classNames && { classNames }), ...kept },
      source
    )
  })
)
