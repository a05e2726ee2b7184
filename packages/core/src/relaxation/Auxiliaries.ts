/**
 * The auxiliaries z: one trainable activation for each cut and example.
 */
import { Effect } from "effect"
import type * as Circuit from "../circuit/Circuit.ts"
import type { Arrays, Engine, EngineFailed } from "../engine/Engine.ts"
import type { NdArray } from "../tensor/NdArray.ts"
import type { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import { stack, type Tensor } from "../tensor/Tensor.ts"
import { evaluate, type Theta } from "./Evaluation.ts"
import * as Segments from "./Segments.ts"
import * as Sweep from "./Sweep.ts"

/**
 * The free run's prediction at every cut for x, by place: where auxiliaries start, and what a refresh sets them back to. Blocks that normalise over
 * the batch in training do so here too; no random numbers are drawn.
 */
export const freeRun = (
  circuit: Circuit.Circuit,
  sites: ReadonlySet<string>,
  θ: Theta,
  x: Tensor
): Readonly<Record<string, Tensor>> => {
  const predictions = new Map<string, Tensor>()
  evaluate(circuit, θ, x, {
    sites,
    training: { random: false, onStatistic: () => undefined },
    onCut: (site, ẑ) => {
      predictions.set(site, ẑ)
      return ẑ
    }
  })
  return Object.fromEntries(
    Segments.places(circuit, sites).map((place) => {
      const own = place.sites.map((site) => predictions.get(site)!)
      return [place.name, place.stacked ? stack(own) : own[0]!]
    })
  )
}

/**
 * Auxiliaries that carry information whatever the weights: those of one forward sweep of closed-form local problems (`Sweep`), by place. Cuts that do
 * not follow a linear map are left out and start at the free run. x: [examples, inputs].
 */
export const sweep = (
  circuit: Circuit.Circuit,
  sites: ReadonlySet<string>,
  parameters: Arrays,
  x: NdArray
): Effect.Effect<Arrays, ShapeMismatch | EngineFailed, Engine> =>
  Effect.map(Sweep.make(circuit, parameters, x), ({ predictions }) =>
    Object.fromEntries(
      Segments.places(circuit, sites).flatMap((place) => {
        const own = place.sites.flatMap((site) => predictions.get(site) ?? [])
        if (own.length < place.sites.length) return []
        return [[place.name, place.stacked ? stacked(own) : own[0]!] as const]
      })
    )
  )

/** Stacks the arrays along a new leading axis. */
const stacked = (arrays: ReadonlyArray<NdArray>): NdArray => {
  const [first] = arrays
  const data = new Float64Array(arrays.length * first!.data.length)
  arrays.forEach((array, i) => {
    data.set(array.data, i * first!.data.length)
  })
  return { shape: [arrays.length, ...first!.shape], data }
}
