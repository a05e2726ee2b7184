/**
 * The relaxed objective, eq. 4 of the paper:
 *
 *     L = L_y(y, ẑ_T) + λ Σ_t L_h(z_t, ẑ_t)
 *
 * Each z_t is trained like a parameter. Where the circuit is cut, z_t goes on instead of ẑ_t, so every gradient ends at the next cut.
 */
import type * as Circuit from "../circuit/Circuit.ts"
import type { Loss } from "../optimization/Loss.ts"
import * as Shape from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import { concat, constant } from "../tensor/Tensor.ts"
import type { Training } from "./Cut.ts"
import { evaluate, type Theta } from "./Evaluation.ts"
import type { HiddenLoss } from "./HiddenLoss.ts"
import * as Segments from "./Segments.ts"

/** L_h(z, ẑ) over one cut: the mean over examples and units as in the prototype, or the sum as eq. 4 has it. */
export type Energy = "mean" | "sum"

/** What of the circuit is relaxed, and how much it costs to differ. */
export interface Relaxation {
  readonly sites: ReadonlySet<string>
  readonly hidden: HiddenLoss
  readonly energy: Energy
  /** λ of all cuts: a number, or a tensor [] that changes from step to step. */
  readonly λ: number | Tensor
  /** A further factor for each cut, by its place and number from 0; 1 where absent. */
  readonly weight?: ((site: string, index: number) => number) | undefined
  /** ζ: adds ζ mean(z²) of each cut. */
  readonly penalty?: number | undefined
  /** Multipliers u by place, of the augmented Lagrangian: adds Σ u (ẑ − z), reduced as the energy is. */
  readonly multiplier?: ((place: string) => Tensor) | undefined
  /** What is added to each z where it goes on, by place: noise. */
  readonly noise?: ((place: string) => Tensor) | undefined
  /** In a step of training. */
  readonly training?: Training | undefined
}

/** The relaxed objective and its parts. */
export interface Relaxed {
  /** ẑ_T: [batch, outputs] */
  readonly output: Tensor
  /** What is trained: L of eq. 4 with penalties and multipliers, []; and L alone. */
  readonly loss: Tensor
  readonly relaxed: Tensor
  /** mean((ẑ_t − z_t)²) of each cut, in order of evaluation: [cuts]; undefined without cuts. */
  readonly residuals: Tensor | undefined
  /** ẑ − z by place, [batch, units], or stacked [cuts, batch, units]. */
  readonly differences: ReadonlyMap<string, Tensor>
}

/** `θ` finds parameters, `z` auxiliaries by their place; x: [batch, inputs], y: [batch, outputs]. */
export const make = (
  circuit: Circuit.Circuit,
  relaxation: Relaxation,
  L_y: Loss,
  θ: Theta,
  z: (place: string) => Tensor,
  x: Tensor,
  y: Tensor
): Relaxed => {
  const { energy, hidden, multiplier, noise, penalty = 0, sites, training, weight, λ } = relaxation
  const places = new Map(Segments.places(circuit, sites).map((place) => [place.name, place]))
  const number = new Map([...sites].map((site, index) => [site, index]))
  const energies: Array<Tensor> = []
  const penalties: Array<Tensor> = []
  const residuals: Array<Tensor> = []
  const differences = new Map<string, Tensor>()
  const onward = (place: string) => (noise === undefined ? z(place) : z(place).add(noise(place)))
  const output = evaluate(circuit, θ, x, {
    sites,
    training,
    auxiliary: onward,
    onCut: (place, ẑ) => {
      const { sites: own, stacked } = places.get(place)!
      const cuts = stacked ? own.length : 1
      const each = hidden.of(z(place), ẑ)
      // One factor for each cut, where they differ.
      const factors = weight === undefined ? undefined : own.map((site) => weight(site, number.get(site)!))
      const weighted =
        factors === undefined ? each : stacked ? each.mul(perCut(factors, each.shape.length)) : each.mul(factors[0]!)
      // The mean of each cut, summed over the cuts that are stacked.
      const reduce = (of: Tensor) => of.total().mul(energy === "mean" ? cuts / count(of) : 1)
      energies.push(reduce(weighted))
      const difference = ẑ.sub(z(place))
      differences.set(place, difference)
      if (multiplier !== undefined) penalties.push(reduce(multiplier(place).mul(difference)))
      const perNumber = cuts / count(ẑ)
      if (penalty !== 0)
        penalties.push(
          z(place)
            .square()
            .total()
            .mul(penalty * perNumber)
        )
      const within = difference.shape.map((_, axis) => axis).slice(stacked ? 1 : 0)
      residuals.push(difference.square().sum(within).reshape([cuts]).mul(perNumber))
      return onward(place)
    }
  })
  const own = scalar(L_y(output, y))
  // Nothing is cut where every k-th map of a circuit of fewer than k is asked for: then this is the free run's loss.
  if (energies.length === 0) return { output, loss: own, relaxed: own, residuals: undefined, differences }
  const relaxed = own.add(energies.reduce((a, b) => a.add(b)).mul(λ))
  const loss = penalties.reduce((a, b) => a.add(b), relaxed)
  const held = [...places.values()].flatMap((place) => place.sites)
  return { output, loss, relaxed, residuals: inOrder(concat(residuals, 0), held, [...sites]), differences }
}

/** The numbers of the sites `held` in another order: a stack holds one place of all turns, where evaluation takes turn after turn. */
const inOrder = (numbers: Tensor, held: ReadonlyArray<string>, order: ReadonlyArray<string>): Tensor => {
  if (order.every((site, i) => site === held[i])) return numbers
  const at = new Map(held.map((site, i) => [site, i]))
  return concat(
    order.map((site) => numbers.slice(0, at.get(site)!, at.get(site)! + 1)),
    0
  )
}

/** A loss is one number. */
export const scalar = (loss: Tensor): Tensor => {
  if (loss.shape.length === 0) return loss
  const advice = "end it in .mean() or .total()"
  throw new ShapeMismatch({ operation: "the loss", expected: "[]", came: Shape.show(loss.shape), advice })
}

const count = (tensor: Tensor): number => tensor.shape.reduce<number>((total, n) => total * Number(n), 1)

/** The factors along the leading axis of a tensor of `rank` axes. */
const perCut = (factors: ReadonlyArray<number>, rank: number): Tensor =>
  concat(
    factors.map((factor) => constant(factor).reshape(Array<number>(rank).fill(1))),
    0
  )
