/**
 * The relaxed objective, eq. 4 of the paper:
 *
 *     L = L_y(y, ẑ_T) + λ Σ_t L_h(z_t, ẑ_t)
 *
 * Each z_t is trained like a parameter. Where the circuit is cut, z_t goes on instead of ẑ_t, so every gradient ends at the next cut.
 */
import type * as Circuit from "../circuit/Circuit.ts"
import type { Loss } from "../optimization/Loss.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import { concat } from "../tensor/Tensor.ts"
import { evaluate, type Theta } from "./Evaluation.ts"
import * as Segments from "./Segments.ts"

/** L_h(z, ẑ) over one cut: the mean over examples and units as in the prototype, or the sum as eq. 4 has it. */
export type Energy = "mean" | "sum"

/** What of the circuit is relaxed, and how much it costs to differ. */
export interface Relaxation {
  readonly sites: ReadonlySet<string>
  readonly λ: number
  readonly energy: Energy
}

/** The relaxed objective and its parts. */
export interface Relaxed {
  /** ẑ_T: [batch, outputs] */
  readonly output: Tensor
  /** L of eq. 4: [] */
  readonly loss: Tensor
  /** mean((z_t − ẑ_t)²) of each cut, in the order of `Segments.places`: [cuts]; undefined without cuts. */
  readonly residuals: Tensor | undefined
}

/** `θ` finds parameters, `z` auxiliaries by their place; x: [batch, inputs], y: [batch, outputs]. */
export const make = (
  circuit: Circuit.Circuit,
  { energy, sites, λ }: Relaxation,
  L_y: Loss,
  θ: Theta,
  z: (place: string) => Tensor,
  x: Tensor,
  y: Tensor
): Relaxed => {
  const stacked = new Map(Segments.places(circuit, sites).map((place) => [place.name, place.stacked]))
  const energies: Array<Tensor> = []
  const residuals: Array<Tensor> = []
  const output = evaluate(circuit, θ, x, {
    sites,
    auxiliary: z,
    onCut: (place, ẑ) => {
      const squared = z(place).sub(ẑ).square()
      const cuts = stacked.get(place) === true ? (ẑ.shape[0] as number) : 1
      // The mean of each cut, summed over the cuts that are stacked.
      const scale = energy === "mean" ? cuts / count(ẑ) : 1
      energies.push(squared.total().mul(scale))
      const within = squared.shape.map((_, axis) => axis).slice(stacked.get(place) === true ? 1 : 0)
      const perCut = squared.sum(within)
      residuals.push(perCut.reshape([cuts]).mul(cuts / count(ẑ)))
      return z(place)
    }
  })
  const own = L_y(output, y)
  // Nothing is cut where every k-th map of a circuit of fewer than k is asked for: then this is the free run's loss.
  if (energies.length === 0) return { output, loss: own, residuals: undefined }
  const hidden = energies.reduce((a, b) => a.add(b)).mul(λ)
  return { output, loss: own.add(hidden), residuals: concat(residuals, 0) }
}

const count = (tensor: Tensor): number => tensor.shape.reduce<number>((total, n) => total * Number(n), 1)
