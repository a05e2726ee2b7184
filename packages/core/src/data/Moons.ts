/**
 * Two interleaving half circles.
 */
import { Effect } from "effect"
import * as Pseudorandom from "../random/Pseudorandom.ts"
import * as Points from "./Points.ts"
import * as Setting from "./Setting.ts"

/** Settings of the data set. */
export const settings = { examples: Setting.examples, noise: Setting.noise(0.1), seed: Setting.seed }

/**
 * Two interleaving half circles of radius 1, those of scikit-learn's `make_moons` for the same number of points, noise and seed: (cos φ, sin φ) for
 * class 0 and (1 − cos φ, ½ − sin φ) for class 1, φ evenly spaced over [0, π], shuffled, then noised. Fails where a setting is out of its range.
 *
 * ```ts
 * import { Moons } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const data = Effect.runSync(Moons.make({ examples: 100, noise: 0.1, seed: 42 }))
 * data.inputs.shape // => [100, 2]
 * ```
 */
export const make = Effect.fn("Moons.make")(function* (options: Setting.Options<typeof settings> = {}) {
  const { examples, noise, seed } = yield* Setting.resolve("moons", settings, options)
  const random = Pseudorandom.make(seed)
  const outer = Math.floor(examples / 2)
  const inner = examples - outer
  const angle = (i: number, n: number) => (n === 1 ? 0 : i * (Math.PI / (n - 1)))
  const points = Points.generate(examples, (i) => {
    if (i < outer) return [Math.cos(angle(i, outer)), Math.sin(angle(i, outer)), 0]
    const φ = angle(i - outer, inner)
    return [1 - Math.cos(φ), 1 - Math.sin(φ) - 0.5, 1]
  })
  return yield* Points.toDataset(Points.jitter(Points.shuffle(points, random), noise, random), "moons")
})

/** The paper's 100 points: noise 0.1, seed 42. */
export const paper = make({ examples: 100, noise: 0.1, seed: 42 })
