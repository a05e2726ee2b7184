/**
 * Round clouds of points.
 */
import { Effect } from "effect"
import * as Pseudorandom from "../random/Pseudorandom.ts"
import { DataInvalid } from "./DataInvalid.ts"
import * as Points from "./Points.ts"
import * as Setting from "./Setting.ts"

/** Settings of the data set; `noise` is a cloud's standard deviation, `centers` the number of clouds, one per class. */
export const settings = {
  examples: Setting.examples,
  noise: Setting.noise(0.3),
  seed: Setting.seed,
  centers: Setting.whole(2, 100, 2)
}

/**
 * Normal clouds around centers drawn uniformly from [-2, 2]², the same points as scikit-learn's
 * `make_blobs(n, centers=k, cluster_std=noise, center_box=(-2, 2), random_state=seed)`. Two centers make the task `binary`, more make it `classes`.
 * Fails where a setting is out of its range or there are fewer examples than centers.
 *
 * ```ts
 * import { Blobs } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const data = Effect.runSync(Blobs.make({ examples: 90, centers: 3 }))
 * data.targets.shape // => [90, 3]
 * ```
 */
export const make = Effect.fn("Blobs.make")(function* (options: Setting.Options<typeof settings> = {}) {
  const { examples, noise, seed, centers } = yield* Setting.resolve("blobs", settings, options)
  if (examples < centers) {
    const expected = `at least one example for each of ${centers} centers`
    const advice = "ask for more examples or fewer centers"
    return yield* new DataInvalid({ source: "blobs", setting: "examples", expected, came: `${examples} came`, advice })
  }
  const random = Pseudorandom.make(seed)
  const middles = random.uniforms(2 * centers, -2, 2)
  const share = Math.floor(examples / centers)
  const larger = examples % centers // the first clouds have one more point
  const points = Points.generate(examples, (i) => {
    const label = i < larger * (share + 1) ? Math.floor(i / (share + 1)) : Math.floor((i - larger) / share)
    return [middles[2 * label]! + noise * random.normal(), middles[2 * label + 1]! + noise * random.normal(), label]
  })
  return yield* Points.toDataset(Points.shuffle(points, random), "blobs", centers)
})
