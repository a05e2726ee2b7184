/**
 * Exclusive or of two signs.
 */
import { Effect } from "effect"
import * as Pseudorandom from "../random/Pseudorandom.ts"
import * as Points from "./Points.ts"
import * as Setting from "./Setting.ts"

/** Settings of the data set. */
export const settings = { examples: Setting.examples, noise: Setting.noise(0.1), seed: Setting.seed }

/**
 * Four squares of side 1 centred at (±1, ±1), filled uniformly, then noised; class 1 where the signs of the square's coordinates differ. Squares
 * take turns, so their numbers of points differ by at most one. Fails where a setting is out of its range.
 *
 * ```ts
 * import { Xor } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const data = Effect.runSync(Xor.make({ examples: 400 }))
 * data.task // => "binary"
 * ```
 */
export const make = Effect.fn("Xor.make")(function* (options: Setting.Options<typeof settings> = {}) {
  const { examples, noise, seed } = yield* Setting.resolve("xor", settings, options)
  const random = Pseudorandom.make(seed)
  const points = Points.generate(examples, (i) => {
    const right = (i >> 1) % 2
    const label = i % 2
    const up = right ^ label
    return [2 * right - 1 + random.uniform(-0.5, 0.5), 2 * up - 1 + random.uniform(-0.5, 0.5), label]
  })
  return yield* Points.toDataset(Points.jitter(Points.shuffle(points, random), noise, random), "xor")
})
