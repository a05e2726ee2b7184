/**
 * A circle within a circle.
 */
import { Effect } from "effect"
import * as Pseudorandom from "../random/Pseudorandom.ts"
import * as Points from "./Points.ts"
import * as Setting from "./Setting.ts"

/** Settings of the data set; `factor` is the inner circle's radius. */
export const settings = {
  examples: Setting.examples,
  noise: Setting.noise(0.1),
  seed: Setting.seed,
  factor: Setting.real(0, 0.99, 0.5)
}

/**
 * The unit circle, class 0, around one of radius `factor`, class 1: those of scikit-learn's `make_circles` for the same number of points, noise,
 * factor and seed. Fails where a setting is out of its range.
 *
 * ```ts
 * import { Circles } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const data = Effect.runSync(Circles.make({ examples: 200, factor: 0.5 }))
 * data.targets.shape // => [200, 1]
 * ```
 */
export const make = Effect.fn("Circles.make")(function* (options: Setting.Options<typeof settings> = {}) {
  const { examples, noise, seed, factor } = yield* Setting.resolve("circles", settings, options)
  const random = Pseudorandom.make(seed)
  const outer = Math.floor(examples / 2)
  const points = Points.generate(examples, (i) => {
    const label = i < outer ? 0 : 1
    const [index, count, radius] = label === 0 ? [i, outer, 1] : [i - outer, examples - outer, factor]
    const φ = index * ((2 * Math.PI) / count)
    return [radius * Math.cos(φ), radius * Math.sin(φ), label]
  })
  return yield* Points.toDataset(Points.jitter(Points.shuffle(points, random), noise, random), "circles")
})
