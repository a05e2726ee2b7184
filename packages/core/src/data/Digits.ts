/**
 * Handwritten digits, 8 × 8 pixels each, shipped with the package.
 */
import { Effect } from "effect"
import * as Csv from "./Csv.ts"
import * as Dataset from "./Dataset.ts"

/** None: the data set is fixed. */
export const settings = {}

/** The largest value of a pixel. */
const white = 16

/**
 * The 1,797 digits of scikit-learn's `load_digits` (the test part of UCI's Optical Recognition of Handwritten Digits), in the same order: inputs
 * [1797, 64], pixels row by row as x / 16 in [0, 1]; targets [1797, 10], one-hot, classes 0 … 9. Fails where the package's file cannot be read.
 *
 * ```ts
 * import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
 * import { Digits } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const data = await Effect.runPromise(Digits.make().pipe(Effect.provide(NodeFileSystem.layer)))
 * data.inputs.shape // => [1797, 64]
 * ```
 */
export const make = Effect.fn("Digits.make")(function* () {
  const { fileURLToPath } = yield* Effect.promise(() => import("node:url"))
  const data = yield* Csv.read(fileURLToPath(new URL("digits.csv.gz", import.meta.url)))
  const inputs = { shape: data.inputs.shape, data: data.inputs.data.map((pixel) => pixel / white) }
  return yield* Dataset.make({ ...data, inputs }, "digits")
})
