/**
 * Seeded numbers and shapes: a seed gives the same case on every machine.
 */
import { NdArray } from "@rai/core"

/** Returns a generator of numbers in [0, 1), Marsaglia's 32-bit xorshift; scrambling the seed makes streams of consecutive seeds unrelated. */
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

/** The bounds between which numbers are drawn, before `array` moves them to its grid. */
export type Domain = readonly [minimum: number, maximum: number]

/** Numbers of both signs. */
export const signed: Domain = [-3, 3]

/** Positive numbers, bounded away from zero. */
export const positive: Domain = [0.25, 3]

/**
 * Returns an array of random numbers in `domain`, multiples of 1/64 shifted by `turn`/256: exact in float32, never zero for turns 1 … 3, and
 * never equal between arrays of different turns, so that kinks stay at least 1/256 away.
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

/** Returns an array whose numbers all differ by at least 1/8, around zero and in random order. */
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

/** Returns one random shape of each rank 0 … 4, with axes of length 1 … 4. */
export const shapes = (seed: number): ReadonlyArray<ReadonlyArray<number>> => {
  const next = uniform(seed)
  return [0, 1, 2, 3, 4].map((rank) => Array.from({ length: rank }, () => 1 + Math.floor(next() * 4)))
}

/** Pairs of shapes that broadcast together: scalars, missing leading axes, trailing and middle axes of 1, on one side or both. */
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

/** NaN, the infinities, both zeros, and large and small numbers whose squares float32 can still represent. */
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
