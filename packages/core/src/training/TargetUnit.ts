/**
 * The unit that a regression is trained in: each target standardised to mean 0 and deviation 1, ỹ_k = (y_k − μ_k) / σ_k, which is undone in the
 * circuit's last map, W = W̃ diag σ and b = σ b̃ + μ. Starts, rates and λ are meant for numbers around 1, so they mean the same whatever the
 * targets' scale.
 */
import * as Circuit from "../circuit/Circuit.ts"
import * as Coordinates from "../circuit/Coordinates.ts"
import type { Dataset } from "../data/Dataset.ts"
import * as Moments from "../data/Moments.ts"
import type { Arrays } from "../engine/Engine.ts"
import type { OfValues } from "../metrics/Metrics.ts"
import type { NdArray } from "../tensor/NdArray.ts"
import { concat, constant, type Tensor } from "../tensor/Tensor.ts"
import type { Plan } from "./Plan.ts"

/**
 * Mean and deviation of each output (deviation 1 for a constant one), and the mean of the outputs' variances, which a loss of 1 in this unit stands
 * for.
 */
export interface TargetUnit {
  readonly μ: ReadonlyArray<number>
  readonly σ: ReadonlyArray<number>
  readonly variance: number
}

/**
 * Computes the unit of targets [examples, outputs].
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
 * Returns the unit that a run uses. Only a regression has one, and not where a phase has its own loss, which refers to the targets as they are,
 * where the circuit does not end with a linear map, or where the unit does not fit into float32.
 */
export const taken = (circuit: Circuit.Circuit, plan: Plan, { targets, task }: Dataset): TargetUnit | undefined => {
  if (task !== "regression" || hasOwnLoss(plan) || !Coordinates.isEndedByMap(circuit)) return undefined
  const unit = of(targets)
  return [...unit.σ, ...unit.μ, unit.variance].every((value) => Number.isFinite(Math.fround(value))) ? unit : undefined
}

/** Whether there are several targets, of which the losses in their own units, unlike those in this one, show the largest alone. */
export const isOfSeveral = ({ σ }: TargetUnit): boolean => σ.length > 1

const hasOwnLoss = ({ phases }: Plan): boolean => phases.some(({ loss }) => loss !== undefined)

/** Converts targets to the unit, ỹ. */
export const into = ({ μ, σ }: TargetUnit, { data, shape }: NdArray): NdArray => ({
  shape,
  data: Float64Array.from(data, (y, i) => (y - μ[i % μ.length]!) / σ[i % σ.length]!)
})

/**
 * Outputs or targets, [examples, outputs], of which a loss of 1 is the mean of the targets' variances: weighted by σ_k / √variance, since deviations
 * may differ from output to output. Numbers around 1, whose squares float32 holds, whatever the targets' own unit is.
 */
export const weighted = ({ σ, variance }: TargetUnit, of: Tensor): Tensor => {
  const weights = σ.map((deviation) => deviation / Math.sqrt(variance))
  if (weights.every((weight) => Math.abs(weight - 1) < 1e-9)) return of
  return of.mul(
    concat(
      weights.map((weight) => constant(weight).reshape([1, 1])),
      1
    )
  )
}

/** The share of each target's variance that a circuit with these metrics leaves, on average over the targets. */
export const left = ({ σ }: TargetUnit, { ofTargets }: OfValues): number =>
  ofTargets.reduce((sum, { rootMeanSquaredError }, k) => sum + (rootMeanSquaredError / σ[k]!) ** 2, 0) / σ.length

/** Converts parameters so that the circuit outputs values in the targets' own unit. */
export const back = (unit: TargetUnit, circuit: Circuit.Circuit, parameters: Arrays): Arrays =>
  Coordinates.answering(circuit, parameters, unit)

/**
 * Converts a run's initial parameters: explicit initial values of the last map are in the targets' own unit and are converted; any other start is
 * already meant for numbers around 1.
 */
export const start = ({ σ, μ }: TargetUnit, circuit: Circuit.Circuit, parameters: Arrays): Arrays => {
  const { block } = Circuit.sites(circuit).at(-1)!
  const isSaid = Object.values(block.parameters).some(({ initial }) => initial !== undefined)
  if (!isSaid) return parameters
  const inverse = { σ: σ.map((deviation) => 1 / deviation), μ: μ.map((mean, k) => -mean / σ[k]!) }
  return Coordinates.answering(circuit, parameters, inverse)
}

/** Describes the unit to the user before a run: how targets are standardised, or why they are not where it matters. */
export const describe = (circuit: Circuit.Circuit, plan: Plan, data: Dataset): ReadonlyArray<string> => {
  const { data: y, shape } = data.targets
  // Constant targets have a warning of their own.
  if (data.task !== "regression" || y.every((value, i) => value === y[i % shape[1]!])) return []
  const { μ, σ, variance } = of(data.targets)
  const theirs = σ.length === 1 ? `theirs are ${shown(μ)} and ${shown(σ)}` : `means ${shown(μ)}; deviations ${shown(σ)}`
  if (taken(circuit, plan, data) !== undefined) {
    const losses = isOfSeveral({ μ, σ, variance })
      ? "losses are in their own units; what decides is the share of its variance that is left of each, on average"
      : "losses are in their own unit"
    return [`targets are brought to mean 0 and deviation 1 while it trains (${theirs}); ${losses}`]
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
