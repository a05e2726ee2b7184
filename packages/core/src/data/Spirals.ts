/**
 * Two spiral arms.
 */
import { Effect } from "effect"
import * as Pseudorandom from "../random/Pseudorandom.ts"
import * as Points from "./Points.ts"
import * as Setting from "./Setting.ts"

/** Settings of the data set; `turns` is the number of turns of an arm. */
export const settings = {
  examples: Setting.examples,
  noise: Setting.noise(0.1),
  seed: Setting.seed,
  turns: Setting.real(0.25, 5, 1.5)
}

/** The radius at which an arm ends. */
const reach = 2.5

/**
 * Two arms of an Archimedean spiral, one per class: r = 2.5 t, φ = 2π · turns · t + π · label, with t² evenly spaced over (0, 1], so that points
 * are about as dense outside as inside; shuffled, then noised. Fails where a setting is out of its range.
 *
 * ```ts
 * import { Spirals } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const data = Effect.runSync(Spirals.make({ examples: 300, noise: 0.05, turns: 2 }))
 * data.inputs.shape // => [300, 2]
 * ```
 */
export const make = Effect.fn("Spirals.make")(function* (options: Setting.Options<typeof settings> = {}) {
  const { examples, noise, seed, turns } = yield* Setting.resolve("spirals", settings, options)
  const random = Pseudorandom.make(seed)
  const first = Math.floor(examples / 2)
  const points = Points.generate(examples, (i) => {
    const label = i < first ? 0 : 1
    const t = Math.sqrt(label === 0 ? (i + 1) / first : (i - first + 1) / (examples - first))
    const φ = 2 * Math.PI * turns * t + Math.PI * label
    return [reach * t * Math.cos(φ), reach * t * Math.sin(φ), label]
  })
  return yield* Points.toDataset(Points.jitter(Points.shuffle(points, random), noise, random), "spirals")
})
