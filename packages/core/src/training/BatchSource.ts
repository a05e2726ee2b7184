/**
 * Where a step's batch comes from: data in memory, or parts that are read on demand.
 */
import { Effect, Exit, Pull, Scope, Stream } from "effect"
import * as Batches from "../data/Batches.ts"
import { DataInvalid } from "../data/DataInvalid.ts"
import type { Dataset } from "../data/Dataset.ts"
import type { Parts } from "../data/Parts.ts"
import type { NdArray } from "../tensor/NdArray.ts"
import * as Check from "./Check.ts"

/** One batch: its rows and the indices of its examples within the data, or within the current part. */
export interface Batch {
  readonly x: NdArray
  readonly y: NdArray
  readonly indices: Int32Array
}

/** Batches by step number; the same step always gets the same batch. */
export interface BatchSource<E, R> {
  /** Steps per epoch. */
  readonly perEpoch: number
  readonly at: (step: number) => Effect.Effect<Batch, E, R>
}

const take = (data: Dataset, indices: Int32Array): Batch => ({
  x: Batches.rows(data.inputs, indices),
  y: Batches.rows(data.targets, indices),
  indices
})

/** Full batches from data in memory, in an order determined by seed and epoch. */
export const memory = (data: Dataset, size: number, seed: number, label: number): BatchSource<never, never> => {
  const examples = data.inputs.shape[0]!
  const perEpoch = Math.floor(examples / size)
  let order: { readonly epoch: number; readonly batches: ReadonlyArray<Int32Array> } | undefined
  return {
    perEpoch,
    at: (step) =>
      Effect.sync(() => {
        const epoch = Math.floor(step / perEpoch)
        if (order?.epoch !== epoch) order = { epoch, batches: Batches.indices(examples, size, seed, label + epoch) }
        return take(data, order.batches[step % perEpoch]!)
      })
  }
}

/**
 * Full batches from one part after the other, each in an order determined by seed and epoch; one part is in memory at a time. Fails at a part that
 * the circuit of `data` cannot be used with.
 */
export const parts = <E, R>({ read, sizes }: Parts<E, R>, data: Dataset, size: number, seed: number, label: number) =>
  Effect.gen(function* () {
    const counts = sizes.map((examples) => Math.floor(examples / size))
    const perEpoch = counts.reduce((a, b) => a + b, 0)
    const scope = yield* Effect.scope
    let open:
      | {
          readonly epoch: number
          readonly pull: Pull.Pull<ReadonlyArray<Dataset>, E, void, R>
          readonly scope: Scope.Closeable
        }
      | undefined
    let waiting: Array<Dataset> = []
    let [part, batches]: [number, ReadonlyArray<Int32Array>] = [-1, []]
    let current: Dataset | undefined
    const reopen = Effect.fnUntraced(function* (epoch: number) {
      if (open !== undefined) yield* Scope.close(open.scope, Exit.void)
      const own = yield* Scope.fork(scope)
      open = { epoch, pull: yield* Scope.provide(Stream.toPull(read), own), scope: own }
      waiting = []
      part = -1
    })
    const at = Effect.fnUntraced(function* (step: number) {
      const epoch = Math.floor(step / perEpoch)
      let [within, wanted] = [step % perEpoch, 0]
      while (within >= counts[wanted]!) within -= counts[wanted++]!
      if (open?.epoch !== epoch || wanted < part) yield* reopen(epoch)
      while (part < wanted) {
        if (waiting.length === 0) waiting = [...(yield* Pull.catchDone(open!.pull, () => Effect.succeed([])))]
        current = yield* asDeclared(data, sizes, ++part, waiting.shift())
        batches = Batches.indices(sizes[part]!, size, seed, label + epoch * sizes.length + part)
      }
      return take(current!, batches[within]!)
    })
    const source: BatchSource<E | DataInvalid, R> = { perEpoch, at }
    return source
  })

/** Returns the part that was read; fails with `DataInvalid` where its size is not the declared one, or it is not as the data. */
const asDeclared = (data: Dataset, sizes: ReadonlyArray<number>, part: number, read: Dataset | undefined) => {
  const invalid = (expected: string, came: string, advice: string) =>
    Effect.fail(new DataInvalid({ source: `part ${part + 1} of ${sizes.length}`, expected, came, advice }))
  const examples = read?.inputs.shape[0]
  if (read === undefined || examples !== sizes[part]) {
    const came = read === undefined ? "there is no such part" : `${examples} came`
    const advice = "give the same parts each time that they are read"
    return invalid(`${sizes[part]} examples, as its size says`, came, advice)
  }
  const different = Check.unlike(data, read)
  if (different === undefined) return Effect.succeed(read)
  return invalid(different.expected, `${different.came} came`, "read all of them with the columns and classes of one")
}
