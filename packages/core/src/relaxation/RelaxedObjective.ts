/**
 * The relaxed objective, eq. 4 of the paper:
 *
 *     L = L_y(y, ẑ_T) + λ Σ_t L_h(z_t, ẑ_t)
 *
 * Each z_t is trained like a parameter. At a cut, z_t goes on instead of ẑ_t, so every gradient ends at the next cut.
 */
import type * as Circuit from "../circuit/Circuit.ts"
import type { Loss } from "../optimization/Loss.ts"
import * as Shape from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import { concat, constant } from "../tensor/Tensor.ts"
import * as Throwing from "../tensor/Throwing.ts"
import type { Training } from "./Cut.ts"
import { evaluate, type Theta } from "./Evaluation.ts"
import type { HiddenLoss } from "./HiddenLoss.ts"
import * as Segments from "./Segments.ts"

/** Reduction of L_h(z, ẑ) over one cut: the mean over examples and units, as in the prototype, or the sum, as in eq. 4. */
export type Energy = "mean" | "sum"

/** What is relaxed in the circuit, and at what cost. */
export interface Relaxation {
  readonly sites: ReadonlySet<string>
  readonly hidden: HiddenLoss
  readonly energy: Energy
  /** λ of all cuts: a number, or a tensor [] that changes from step to step. */
  readonly λ: number | Tensor
  /** A further factor per cut, by its place and index from 0; 1 where absent. */
  readonly weight?: ((site: string, index: number) => number) | undefined
  /** ζ: adds ζ mean(z²) for each cut. */
  readonly penalty?: number | undefined
  /** Multipliers u of the augmented Lagrangian, by place: adds Σ u (ẑ − z), reduced as the energy is. */
  readonly multiplier?: ((place: string) => Tensor) | undefined
  /** Noise added to each z where it goes on, by place. */
  readonly noise?: ((place: string) => Tensor) | undefined
  /** Given within a training step. */
  readonly training?: Training | undefined
}

/** The relaxed objective and its parts. */
export interface Relaxed {
  /** ẑ_T: [batch, outputs] */
  readonly output: Tensor
  /** The training loss: L of eq. 4 plus penalties and multipliers, []; `relaxed` is L alone. */
  readonly loss: Tensor
  readonly relaxed: Tensor
  /** mean((ẑ_t − z_t)²) of each cut, in order of evaluation: [cuts]; undefined without cuts. */
  readonly residuals: Tensor | undefined
  /** ẑ − z by place, [batch, units], or stacked [cuts, batch, units]. */
  readonly differences: ReadonlyMap<string, Tensor>
}

/** The relaxed objective; `θ` finds parameters and `z` auxiliaries by place; x: [batch, inputs], y: [batch, outputs]. */
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
      const each = Throwing.at(`the hidden loss ${hidden.name}`, () => perExample(hidden, z(place), ẑ))
      // One factor for each cut, where they differ.
      const factors = weight === undefined ? undefined : own.map((site) => weightOf(weight, site, number.get(site)!))
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
  const own = Throwing.at("the loss", () => scalar(L_y(output, y)))
  // A circuit with fewer maps than `every` asks for has no cut: this is then the free run's loss.
  if (energies.length === 0) return { output, loss: own, relaxed: own, residuals: undefined, differences }
  const relaxed = own.add(energies.reduce((a, b) => a.add(b)).mul(λ))
  const loss = penalties.reduce((a, b) => a.add(b), relaxed)
  const held = [...places.values()].flatMap((place) => place.sites)
  return { output, loss, relaxed, residuals: inOrder(concat(residuals, 0), held, [...sites]), differences }
}

/** The weight that a function gives to a cut; what it throws names the cut. */
export const weightOf = (weight: (site: string, index: number) => number, site: string, index: number): number =>
  Throwing.at(`the weight of cut ${site}`, () => weight(site, index))

/** Reorders the numbers of the sites `held`: a stack holds one place of all turns, whereas evaluation goes turn by turn. */
const inOrder = (numbers: Tensor, held: ReadonlyArray<string>, order: ReadonlyArray<string>): Tensor => {
  if (order.every((site, i) => site === held[i])) return numbers
  const at = new Map(held.map((site, i) => [site, i]))
  return concat(
    order.map((site) => numbers.slice(0, at.get(site)!, at.get(site)! + 1)),
    0
  )
}

/** The hidden loss of each unit or example; a mean or sum over more would count equal stages together otherwise than one by one. */
const perExample = ({ name, of }: HiddenLoss, z: Tensor, ẑ: Tensor): Tensor => {
  const each = of(z, ẑ)
  const [units, examples] = [ẑ.shape, ẑ.shape.with(-1, 1)]
  if (Shape.equals(each.shape, units) || Shape.equals(each.shape, examples)) return each
  const expected = `${Shape.show(units)} or ${Shape.show(examples)}`
  const advice = "leave the mean to the objective: give the energy of each unit, or of each example"
  throw new ShapeMismatch({ operation: `the hidden loss ${name}`, expected, came: Shape.show(each.shape), advice })
}

/** Checks that a loss is a single number. */
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
