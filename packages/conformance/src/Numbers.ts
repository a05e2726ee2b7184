/**
 * Seeded numbers and shapes: the same seed gives the same case on every machine.
 */
import { NdArray } from "@rai/core"

/** A stream of numbers in [0, 1) by Marsaglia's 32-bit xorshift; consecutive seeds are scrambled apart first. */
export const uniform = (seed: number): (() => number) => {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  for (let i = 0; i < 8; i++) next()
  return next
}

/** Where numbers are drawn from: between two bounds, both exclusive of the grid that `array` keeps to. */
export type Domain = readonly [minimum: number, maximum: number]

/** Numbers anywhere about zero. */
export const signed: Domain = [-3, 3]

/** Numbers away from zero. */
export const positive: Domain = [0.25, 3]

/**
 * An array of `shape` with numbers of `domain`, multiples of 1/64 moved by `turn`/256: exact in float32, never zero for turns 1 … 3, and never
 * equal in arrays of different turns, so that kinks stay at least 1/256 away.
 */
export const array = (
  shape: ReadonlyArray<number>,
  seed: number,
  { domain = signed, turn = 1 }: { readonly domain?: Domain; readonly turn?: number } = {}
): NdArray.NdArray => {
  const next = uniform(seed)
  const [minimum, maximum] = domain
  const draw = () => Math.floor((minimum + next() * (maximum - minimum)) * 64) / 64 + turn / 256
  return NdArray.make(shape, Array.from({ length: NdArray.size(shape) }, draw))
}

/** An array of `shape` whose numbers all differ by 1/8 at least, in random order about zero. */
export const distinct = (shape: ReadonlyArray<number>, seed: number): NdArray.NdArray => {
  const next = uniform(seed)
  const size = NdArray.size(shape)
  const numbers = Array.from({ length: size }, (_, i) => (i - size / 2 + 0.25) / 8)
  for (let i = size - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1))
    ;[numbers[i], numbers[j]] = [numbers[j]!, numbers[i]!]
  }
  return NdArray.make(shape, numbers)
}

/** One random shape of each rank 0 … 4, of lengths 1 … 4. */
export const shapes = (seed: number): ReadonlyArray<ReadonlyArray<number>> => {
  const next = uniform(seed)
  return [0, 1, 2, 3, 4].map((rank) => Array.from({ length: rank }, () => 1 + Math.floor(next() * 4)))
}

/** Shapes that broadcast together: scalars, missing leading axes, trailing and middle axes of 1, on one side or both. */
export const pairs: ReadonlyArray<readonly [ReadonlyArray<number>, ReadonlyArray<number>]> = [
  [[], []],
  [[3], []],
  [[], [2, 3]],
  [[1], [4]],
  [
    [2, 3],
    [2, 3]
  ],
  [[2, 3], [3]],
  [
    [2, 3],
    [2, 1]
  ],
  [
    [2, 1],
    [1, 3]
  ],
  [
    [2, 3, 4],
    [2, 1, 4]
  ],
  [
    [2, 1, 4],
    [3, 1]
  ],
  [
    [2, 3, 1, 2],
    [3, 4, 1]
  ],
  [
    [2, 3, 4, 2],
    [1, 3, 1, 2]
  ]
]

/** Not a number, the infinities, the zeros, and numbers large and small whose squares float32 still holds. */
export const special: ReadonlyArray<number> = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  1,
  -1,
  0.5,
  1e15,
  -1e15,
  1e-15,
  88,
  -104
]
