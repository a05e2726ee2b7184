/**
 * Mini-batches: which examples form one, and gathering and scattering of their rows.
 */
import { Effect } from "effect"
import { stream } from "../random/Pseudorandom.ts"
import type { NdArray } from "../tensor/NdArray.ts"
import { DataInvalid } from "./DataInvalid.ts"

/**
 * Number of full batches of `size` per epoch: ⌊examples / size⌋. Fails where `size` is not a whole number from 1 to `examples`.
 *
 * ```ts
 * import { Batches } from "@rai/core"
 * import { Effect } from "effect"
 *
 * Effect.runSync(Batches.count(1437, 64)) // => 22
 * ```
 */
export const count = Effect.fnUntraced(function* (examples: number, size: number) {
  if (Number.isInteger(size) && size >= 1 && size <= examples) return Math.floor(examples / size)
  const expected = `a whole number of examples from 1 to ${examples}, all that there are`
  const advice = size > examples ? "give a smaller batch, or none to train on all at once" : "give for instance 64"
  return yield* new DataInvalid({ source: "batches", setting: "size", expected, came: `${size} came`, advice })
})

/**
 * The batches of one epoch: ⌊examples / size⌋ batches of `size` indices each, in a random order determined by seed and epoch; leftover examples are
 * skipped in this epoch. Equal arguments give equal batches, so a resumed run continues where it was.
 *
 * ```ts
 * import { Batches } from "@rai/core"
 *
 * Batches.indices(10, 4, 0, 0).map((batch) => batch.length) // => [4, 4]
 * ```
 */
export const indices = (examples: number, size: number, seed: number, epoch: number): ReadonlyArray<Int32Array> => {
  const order = Int32Array.from(stream(seed, `batches ${epoch}`).permutation(examples))
  return Array.from({ length: Math.floor(examples / size) }, (_, i) => order.slice(i * size, (i + 1) * size))
}

/**
 * Gathers the entries at `indices` along an axis, in that order, keeping the element type: [n, …] → [indices, …] along axis 0, [m, n, …] →
 * [m, indices, …] along axis 1. Each index is in [0, n).
 *
 * ```ts
 * import { Batches, NdArray } from "@rai/core"
 *
 * const rows = Batches.rows(NdArray.make([3, 2], [0, 1, 10, 11, 20, 21]), [2, 0])
 * Array.from(rows.data) // => [20, 21, 0, 1]
 * ```
 */
export const rows = (array: NdArray, indices: ArrayLike<number>, axis: 0 | 1 = 0): NdArray => {
  const { outer, length, inner } = strides(array.shape, axis)
  const chosen = indices.length
  const from = array.data
  const into = blank(from, outer * chosen * inner)
  let to = 0
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < chosen; i++) {
      const start = (o * length + indices[i]!) * inner
      for (let k = 0; k < inner; k++) into[to++] = from[start + k]!
    }
  }
  return { shape: array.shape.map((n, at) => (at === axis ? chosen : n)), data: into }
}

/**
 * The inverse of `rows`, in place: `into`'s entries at `indices` along an axis become those of `from`, which has `into`'s shape except that this
 * axis is as long as `indices`. If an index occurs twice, the later entry wins.
 *
 * ```ts
 * import { Batches, NdArray } from "@rai/core"
 *
 * const kept = NdArray.full([3, 1], 0)
 * Batches.scatter(kept, [2, 0], NdArray.make([2, 1], [5, 6]))
 * Array.from(kept.data) // => [6, 0, 5]
 * ```
 */
export const scatter = (into: NdArray, indices: ArrayLike<number>, from: NdArray, axis: 0 | 1 = 0): void => {
  const { outer, length, inner } = strides(into.shape, axis)
  const chosen = indices.length
  const { data } = into
  const source = from.data
  let at = 0
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < chosen; i++) {
      const start = (o * length + indices[i]!) * inner
      for (let k = 0; k < inner; k++) data[start + k] = source[at++]!
    }
  }
}

/** Views a row-major array as [outer, length, inner], with the axis in the middle. */
const strides = (shape: ReadonlyArray<number>, axis: 0 | 1) => {
  let inner = 1
  for (let i = axis + 1; i < shape.length; i++) inner *= shape[i]!
  return { outer: axis === 0 ? 1 : shape[0]!, length: shape[axis]!, inner }
}

const blank = (like: NdArray["data"], length: number): NdArray["data"] =>
  like instanceof Float32Array
    ? new Float32Array(length)
    : like instanceof Float64Array
      ? new Float64Array(length)
      : like instanceof Int32Array
        ? new Int32Array(length)
        : new Uint8Array(length)
