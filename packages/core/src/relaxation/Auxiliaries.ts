/**
 * The auxiliaries z: one trainable activation for each cut and example.
 */
import type * as Circuit from "../circuit/Circuit.ts"
import { stack, type Tensor } from "../tensor/Tensor.ts"
import { evaluate, type Theta } from "./Evaluation.ts"
import * as Segments from "./Segments.ts"

/** The prediction at every cut of the free run on x, by place: where auxiliaries start, and what a refresh sets them back to. */
export const freeRun = (
  circuit: Circuit.Circuit,
  sites: ReadonlySet<string>,
  θ: Theta,
  x: Tensor
): Readonly<Record<string, Tensor>> => {
  const predictions = new Map<string, Tensor>()
  evaluate(circuit, θ, x, {
    sites,
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
