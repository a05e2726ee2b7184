/**
 * What a trained circuit says over the plane of its two inputs.
 */
import { type Dataset, type Engine, Score, type ShapeMismatch, type Trained } from "@rai/core"
import { Landscape } from "@rai/plots"
import { Effect } from "effect"

/** The paper's plane: [-3, 3]², 100 × 100 points. */
export const paper = { extent: [-3, 3], grid: 100 } as const

/** The free run's probability of class 1 at each of the plane's points, [grid²], the lowest y first. */
export const probabilities = (
  trained: Trained.Trained,
  plane: Landscape.Plane = paper
): Effect.Effect<Float32Array, Engine.EngineFailed | ShapeMismatch, Engine.Engine> =>
  Effect.map(Score.predict(trained, Landscape.inputs(plane)), ({ data }) =>
    Float32Array.from(data, (logit) => 1 / (1 + Math.exp(-logit)))
  )

/** Points in the plane with their classes. */
export const points = ({ inputs, targets }: Dataset.Dataset): ReadonlyArray<Landscape.Point> =>
  Array.from({ length: inputs.shape[0]! }, (_, i) => ({
    x: inputs.data[2 * i]!,
    y: inputs.data[2 * i + 1]!,
    label: targets.data[i] === 1 ? 1 : 0
  }))
