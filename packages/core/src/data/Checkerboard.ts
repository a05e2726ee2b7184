/**
 * Squares of a checkerboard.
 */
import { Effect } from "effect"
import * as Pseudorandom from "../random/Pseudorandom.ts"
import * as Points from "./Points.ts"
import * as Setting from "./Setting.ts"

/** Settings of the data set; `noise` is 0 by default, since it moves points across the edges of their squares. */
export const settings = { examples: Setting.examples, noise: Setting.noise(0), seed: Setting.seed }

/**
 * Sixteen squares of side 1 over [-2, 2]², filled uniformly, then noised; label = (⌊x⌋ + ⌊y⌋) mod 2 of the point before noise. Classes take turns,
 * and so do the squares. Fails where a setting is out of its range.
 *
 * ```ts
 * import { Checkerboard } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const data = Effect.runSync(Checkerboard.make({ examples: 1600 }))
 * data.inputs.shape // => [1600, 2]
 * ```
 */
export const make = Effect.fn("Checkerboard.make")(function* (options: Setting.Options<typeof settings> = {}) {
  const { examples, noise, seed } = yield* Setting.resolve("checkerboard", settings, options)
  const random = Pseudorandom.make(seed)
  const points = Points.generate(examples, (i) => {
    const row = (i >> 2) % 4
    const column = (i + row) % 4 // each row starts one square further on
    return [column - 2 + random.uniform(0, 1), row - 2 + random.uniform(0, 1), (column + row) % 2]
  })
  return yield* Points.toDataset(Points.jitter(Points.shuffle(points, random), noise, random), "checkerboard")
})
