/**
 * The gradient norm at every stage over the steps, as a heat map: how far learning reaches into the circuit.
 */
import type { Effect } from "effect"
import type { DataMismatch } from "./DataMismatch.ts"
import * as HeatMap from "./internal/HeatMap.ts"
import type { Phase } from "./Phase.ts"

/** The gradients of a run. */
export interface Settings {
  readonly title?: string
  readonly subtitle?: string
  /** The steps of the measurements, ascending; a phase may be measured first at the step where the one before it was measured last. */
  readonly steps: ReadonlyArray<number>
  /** Number of stages with parameters; stage 1 is nearest to the input. */
  readonly stages: number
  /** ‖∂L/∂θ_t‖, [steps, stages] row-major: what is below the scale, as 0 is, is grey, NaN hatched, and undefined left white. */
  readonly norms: ArrayLike<number | undefined>
  readonly phases?: ReadonlyArray<Phase>
}

const words: HeatMap.Words = {
  figure: "Gradients",
  title: "Gradient norm per stage",
  place: ["stage", "stages"],
  size: "gradient norm",
  sizes: "gradient norms",
  remedy: "draw a circuit with parameters"
}

/**
 * The heat map as SVG, steps from left to right, stages from bottom to top, colour logarithmic. Fails with `DataMismatch` unless there are steps ×
 * stages numbers.
 *
 * ```ts
 * import { Gradients } from "@rai/plots"
 * import { Effect } from "effect"
 *
 * const norms = [1, 0.5, 0.1, 0.05, 0.01, 0.005] // [steps, stages]
 * const svg = Effect.runSync(Gradients.svg({ steps: [0, 10, 20], stages: 2, norms }))
 * console.log(svg.includes("<image")) // => true
 * ```
 */
export const svg = ({ stages, norms, ...settings }: Settings): Effect.Effect<string, DataMismatch> =>
  HeatMap.svg({ ...settings, places: stages, sizes: norms }, words)
