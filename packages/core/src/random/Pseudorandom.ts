/**
 * Seeded pseudorandom numbers: the Mersenne twister MT19937, read as numpy's `RandomState` reads it, so that `make(seed)` draws the same numbers as
 * `numpy.random.RandomState(seed)` on every platform.
 */
import { Context } from "effect"
import { mersenne } from "pure-rand/generator/mersenne"

/** A generator; each draw advances it, so it belongs to one computation and is never shared. */
export interface Pseudorandom {
  /** One number, uniform in [low, high). */
  readonly uniform: (low: number, high: number) => number
  /** One number from the standard normal distribution, with mean 0 and variance 1. */
  readonly normal: () => number
  /** A uniformly random permutation of 0 … n − 1 (Fisher and Yates). */
  readonly permutation: (n: number) => Array<number>
  /** n numbers, uniform in [low, high). */
  readonly uniforms: (n: number, low: number, high: number) => Float64Array
  /** n numbers from the standard normal distribution. */
  readonly normals: (n: number) => Float64Array
}

/** The seed of a run's randomness; 0 unless a program provides another. */
export const Seed = Context.Reference<number>("@rai/core/Seed", { defaultValue: () => 0 })

/** The largest seed: 2³² − 1. */
export const maximumSeed = 0xffffffff

/**
 * A generator from a seed, an integer in [0, 2³² − 1]; equal seeds draw equal numbers.
 *
 * ```ts
 * import { Pseudorandom } from "@rai/core"
 *
 * Pseudorandom.make(42).uniform(0, 1) // => 0.3745401188473625
 * ```
 */
export const make = (seed: number): Pseudorandom => {
  const twister = mersenne(seed)
  let spare = Number.NaN

  const unit = () => {
    const high = twister.next() >>> 5
    const low = twister.next() >>> 6
    return (high * 67108864 + low) / 9007199254740992 // 53 bits: high · 2²⁶ + low over 2⁵³
  }

  // Marsaglia's polar method; the second number of a pair is kept for the next call.
  const normal = () => {
    if (!Number.isNaN(spare)) {
      const kept = spare
      spare = Number.NaN
      return kept
    }
    for (;;) {
      const x = 2 * unit() - 1
      const y = 2 * unit() - 1
      const square = x * x + y * y
      if (square < 1 && square !== 0) {
        const scale = Math.sqrt((-2 * Math.log(square)) / square)
        spare = scale * x
        return scale * y
      }
    }
  }

  // Uniform in 0 … last: rejects draws above `last` under the smallest mask of ones, so there is no modulo bias.
  const index = (last: number) => {
    const mask = last === 0 ? 0 : 0xffffffff >>> Math.clz32(last)
    for (;;) {
      const drawn = (twister.next() & mask) >>> 0
      if (drawn <= last) return drawn
    }
  }

  const uniform = (low: number, high: number) => low + (high - low) * unit()
  const drawn = (n: number, draw: () => number) => {
    const numbers = new Float64Array(n)
    for (let i = 0; i < n; i++) numbers[i] = draw()
    return numbers
  }
  return {
    uniform,
    normal,
    permutation: (n) => {
      const order = Array.from({ length: n }, (_, i) => i)
      for (let i = n - 1; i > 0; i--) {
        const j = index(i)
        const held = order[i]!
        order[i] = order[j]!
        order[j] = held
      }
      return order
    },
    uniforms: (n, low, high) => drawn(n, () => uniform(low, high)),
    normals: (n) => drawn(n, normal)
  }
}

/**
 * The seed of an independent stream named by a label: the 32-bit FNV-1a hash of seed and label with murmur3's finaliser, so that the initial weights,
 * splits and batches of one run share no numbers.
 */
export const derive = (seed: number, label: string): number => {
  let hash = 0x811c9dc5
  const absorb = (byte: number) => {
    hash = Math.imul(hash ^ byte, 0x01000193)
  }
  for (let shift = 0; shift < 32; shift += 8) absorb((seed >>> shift) & 0xff)
  for (const byte of new TextEncoder().encode(label)) absorb(byte)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/**
 * The generator of the stream named by a label (see `derive`).
 *
 * ```ts
 * import { Pseudorandom } from "@rai/core"
 *
 * const weights = Pseudorandom.stream(7, "weights").normals(3)
 * const again = Pseudorandom.stream(7, "weights").normals(3)
 * weights.every((w, i) => w === again[i]) // => true
 * ```
 */
export const stream = (seed: number, label: string): Pseudorandom => make(derive(seed, label))
