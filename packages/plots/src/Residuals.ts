/**
 * The residual at every cut over the steps, as a heat map: where in the circuit auxiliary and prediction still disagree.
 */
import type { Effect } from "effect"
import type { DataMismatch } from "./DataMismatch.ts"
import * as HeatMap from "./internal/HeatMap.ts"
import type { Phase } from "./Phase.ts"

/** The residuals of a run. */
export interface Settings {
  readonly title?: string
  readonly subtitle?: string
  /** The steps of the measurements, ascending; a phase may be measured first at the step where the one before it was measured last. */
  readonly steps: ReadonlyArray<number>
  /** Number of cuts; cut 1 is nearest to the input. */
  readonly cuts: number
  /** Size of the residuals, [steps, cuts] row-major: what is below the scale, as 0 is, is grey, NaN hatched, and undefined left white. */
  readonly residual: ArrayLike<number | undefined>
  readonly phases?: ReadonlyArray<Phase>
}

const words: HeatMap.Words = {
  figure: "Residuals",
  title: "Residual per cut",
  place: ["cut", "cuts"],
  size: "residual",
  sizes: "residuals",
  remedy: "draw residuals of a phase that relaxes"
}

/**
 * The heat map as SVG, steps from left to right, cuts from bottom to top, colour logarithmic. Fails with `DataMismatch` unless there are steps × cuts
 * numbers.
 *
 * ```ts
 * import { Residuals } from "@rai/plots"
 * import { Effect } from "effect"
 *
 * const residual = [1, 0.5, 0.1, 0.05, 0.01, 0.005] // [steps, cuts]
 * const svg = Effect.runSync(Residuals.svg({ steps: [0, 10, 20], cuts: 2, residual }))
 * console.log(svg.includes("<image")) // => true
 * ```
 */
export const svg = ({ cuts, residual, ...settings }: Settings): Effect.Effect<string, DataMismatch> =>
  HeatMap.svg({ ...settings, places: cuts, sizes: residual }, words)
