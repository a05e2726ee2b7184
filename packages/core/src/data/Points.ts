/**
 * Labelled points in the plane, the step between a set's geometry and its data set.
 */
import type { Effect } from "effect"
import type { Pseudorandom } from "../random/Pseudorandom.ts"
import type { DataInvalid } from "./DataInvalid.ts"
import * as Dataset from "./Dataset.ts"

/** Points with one class number each; coordinates: [n, 2], row by row. */
export interface Points {
  readonly coordinates: Float64Array
  readonly labels: Int32Array
}

/** Generates n points from a rule that returns a point and its label for each index. */
export const generate = (n: number, rule: (i: number) => readonly [x: number, y: number, label: number]): Points => {
  const coordinates = new Float64Array(2 * n)
  const labels = new Int32Array(n)
  for (let i = 0; i < n; i++) {
    const [x, y, label] = rule(i)
    coordinates[2 * i] = x
    coordinates[2 * i + 1] = y
    labels[i] = label
  }
  return { coordinates, labels }
}

/** Shuffles the points uniformly. */
export const shuffle = ({ coordinates, labels }: Points, random: Pseudorandom): Points => {
  const order = random.permutation(labels.length)
  return generate(labels.length, (i) => {
    const from = order[i]!
    return [coordinates[2 * from]!, coordinates[2 * from + 1]!, labels[from]!]
  })
}

/** Adds noise · N(0, 1) to each coordinate. */
export const jitter = ({ coordinates, labels }: Points, noise: number, random: Pseudorandom): Points => ({
  coordinates: coordinates.map((value) => value + noise * random.normal()),
  labels
})

/** Converts points to a data set with inputs x1 and x2 and classes 0 … classes − 1. */
export const toDataset = (
  { coordinates, labels }: Points,
  source: string,
  classes = 2
): Effect.Effect<Dataset.Dataset, DataInvalid> =>
  Dataset.labelled({
    inputs: { shape: [labels.length, 2], data: coordinates },
    labels,
    inputNames: ["x1", "x2"],
    classNames: Array.from({ length: classes }, (_, label) => String(label)),
    source
  })
