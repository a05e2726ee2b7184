/**
 * The unit that a regression is trained in: each target at mean 0 and deviation 1, ỹ_k = (y_k − μ_k) / σ_k, which the circuit's last map takes back,
 * W = W̃ diag σ and b = σ b̃ + μ. Starts, rates and λ are meant for numbers around 1, and so mean the same for a price as for a share.
 */
import * as Circuit from "../circuit/Circuit.ts"
import * as Coordinates from "../circuit/Coordinates.ts"
import type { Dataset } from "../data/Dataset.ts"
import * as Moments from "../data/Moments.ts"
import type { Arrays } from "../engine/Engine.ts"
import type { NdArray } from "../tensor/NdArray.ts"
import { concat, constant, type Tensor } from "../tensor/Tensor.ts"
import type { Plan } from "./Plan.ts"

/** Mean and deviation of each output, of one that does not vary 1, and the mean of their variances: what a loss of 1 stands for. */
export interface TargetUnit {
  readonly μ: ReadonlyArray<number>
  readonly σ: ReadonlyArray<number>
  readonly variance: number
}

/**
 * The unit of these targets, [examples, outputs].
 *
 * ```ts
 * import { NdArray, TargetUnit } from "@rai/core"
 *
 * const { μ, σ } = TargetUnit.of(NdArray.make([4, 2], [10, 0, 10, 5, 30, 0, 30, 5]))
 * μ // => [20, 2.5]
 * σ // => [10, 2.5]
 * ```
 */
export const of = (targets: NdArray): TargetUnit => {
  const moments = Array.from({ length: targets.shape[1]! }, (_, output) => {
    const tally = Moments.tally()
    tally.add(targets, output)
    return tally.moments(0)
  })
  return {
    μ: moments.map(({ mean }) => mean),
    σ: moments.map(({ variance }) => Math.sqrt(variance) || 1),
    variance: moments.reduce((sum, { variance }) => sum + variance, 0) / moments.length || 1
  }
}

/**
 * The unit that a run takes: of a regression, unless a phase has a loss of its own, which means the targets as they are, or the circuit does
 * not end with a linear map, or float32 does not hold the unit.
 */
export const taken = (circuit: Circuit.Circuit, plan: Plan, { targets, task }: Dataset): TargetUnit | undefined => {
  if (task !== "regression" || hasOwnLoss(plan) || !Coordinates.isEndedByMap(circuit)) return undefined
  const unit = of(targets)
  return [...unit.σ, ...unit.μ, unit.variance].every((value) => Number.isFinite(Math.fround(value))) ? unit : undefined
}

const hasOwnLoss = ({ phases }: Plan): boolean => phases.some(({ loss }) => loss !== undefined)

/** Targets in the unit, ỹ. */
export const into = ({ μ, σ }: TargetUnit, { data, shape }: NdArray): NdArray => ({
  shape,
  data: Float64Array.from(data, (y, i) => (y - μ[i % μ.length]!) / σ[i % σ.length]!)
})

/** Outputs or targets times the deviations: differences in the targets' own unit. [examples, outputs] */
export const scaled = ({ σ }: TargetUnit, of: Tensor): Tensor =>
  of.mul(
    concat(
      σ.map((deviation) => constant(deviation).reshape([1, 1])),
      1
    )
  )

/** The parameters of the circuit that answers in the targets' own unit. */
export const back = (unit: TargetUnit, circuit: Circuit.Circuit, parameters: Arrays): Arrays =>
  Coordinates.answering(circuit, parameters, unit)

/** Where a run starts: what is said of the last map itself is said in the targets' own unit, all other starts are of numbers around 1. */
export const start = ({ σ, μ }: TargetUnit, circuit: Circuit.Circuit, parameters: Arrays): Arrays => {
  const { block } = Circuit.sites(circuit).at(-1)!
  const isSaid = Object.values(block.parameters).some(({ initial }) => initial !== undefined)
  if (!isSaid) return parameters
  const inverse = { σ: σ.map((deviation) => 1 / deviation), μ: μ.map((mean, k) => -mean / σ[k]!) }
  return Coordinates.answering(circuit, parameters, inverse)
}

/** What a person reads about it before a run: what is taken off the targets, or why that is not done where it matters. */
export const describe = (circuit: Circuit.Circuit, plan: Plan, data: Dataset): ReadonlyArray<string> => {
  const { data: y, shape } = data.targets
  // Of targets that do not vary the warnings tell.
  if (data.task !== "regression" || y.every((value, i) => value === y[i % shape[1]!])) return []
  const { μ, σ } = of(data.targets)
  const theirs = σ.length === 1 ? `theirs are ${shown(μ)} and ${shown(σ)}` : `means ${shown(μ)}; deviations ${shown(σ)}`
  if (taken(circuit, plan, data) !== undefined) {
    return [`targets are brought to mean 0 and deviation 1 while it trains (${theirs}); losses are in their own unit`]
  }
  const isNear = σ.every((deviation) => deviation < Moments.farFromOne && deviation > 1 / Moments.farFromOne)
  if (isNear && μ.every((mean) => Math.abs(mean) < Moments.farFromOne)) return []
  const why = hasOwnLoss(plan)
    ? "the plan has a loss of its own"
    : Coordinates.isEndedByMap(circuit)
      ? "float32 does not hold their size"
      : "the circuit does not end with a block linear, with a bias, that could take it back"
  return [`warning: targets are trained on as they are, far from mean 0 and deviation 1 (${theirs}), since ${why}`]
}

const shown = (values: ReadonlyArray<number>): string =>
  `${values
    .slice(0, 5)
    .map((value) => Number(value.toPrecision(3)))
    .join(", ")}${values.length > 5 ? ", …" : ""}`
