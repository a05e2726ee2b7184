/**
 * The unit that a regression is trained in: its targets at mean 0 and deviation 1, ỹ = (y − μ) / σ, which the circuit's last map takes back,
 * W = σ W̃ and b = σ b̃ + μ. What is minimised stays the same, L_y / σ², but starts, rates and λ are meant for numbers around 1, and so mean the
 * same for a price as for a share.
 */
import type { Circuit } from "../circuit/Circuit.ts"
import * as Coordinates from "../circuit/Coordinates.ts"
import type { Dataset } from "../data/Dataset.ts"
import * as Moments from "../data/Moments.ts"
import type { Arrays } from "../engine/Engine.ts"
import type { NdArray } from "../tensor/NdArray.ts"
import type { Plan } from "./Plan.ts"

/** μ of each output, and one σ for all, so that the mean squared error stays what it is: √ of the mean of the outputs' variances, 1 of constants. */
export interface TargetUnit {
  readonly μ: ReadonlyArray<number>
  readonly σ: number
}

/** The unit of these targets, [examples, outputs]. */
export const of = (targets: NdArray): TargetUnit => {
  const moments = Array.from({ length: targets.shape[1]! }, (_, output) => {
    const tally = Moments.tally()
    tally.add(targets, output)
    return tally.moments(0)
  })
  const variance = moments.reduce((sum, of) => sum + of.variance, 0) / moments.length
  return { μ: moments.map(({ mean }) => mean), σ: Math.sqrt(variance) || 1 }
}

/**
 * The unit that a run takes: of a regression, unless a phase has a loss of its own, which means the targets as they are, or the circuit does
 * not end with a linear map, or float32 does not hold the unit.
 */
export const taken = (circuit: Circuit, plan: Plan, { targets, task }: Dataset): TargetUnit | undefined => {
  if (task !== "regression" || hasOwnLoss(plan) || !Coordinates.isEndedByMap(circuit)) return undefined
  const unit = of(targets)
  return [unit.σ, ...unit.μ].every((value) => Number.isFinite(Math.fround(value))) ? unit : undefined
}

const hasOwnLoss = ({ phases }: Plan): boolean => phases.some(({ loss }) => loss !== undefined)

/** Targets in the unit, ỹ. */
export const into = ({ μ, σ }: TargetUnit, { data, shape }: NdArray): NdArray => ({
  shape,
  data: Float64Array.from(data, (y, i) => (y - μ[i % μ.length]!) / σ)
})

/** The parameters of the circuit that answers in the targets' own unit. */
export const back = (unit: TargetUnit, circuit: Circuit, parameters: Arrays): Arrays =>
  Coordinates.answering(circuit, parameters, unit)

/** Targets beyond so many times 1, or within as small a part of it, are far from what a circuit begins with. */
const farFromOne = 30

/** What a person reads about it before a run: what is taken off the targets, or why that cannot be where it matters. */
export const describe = (circuit: Circuit, plan: Plan, data: Dataset): ReadonlyArray<string> => {
  if (data.task !== "regression" || hasOwnLoss(plan)) return []
  const { μ, σ } = of(data.targets)
  const digits = (value: number) => Number(value.toPrecision(3))
  const theirs = `theirs ${μ.length === 1 ? "is" : "are"} ${μ.slice(0, 5).map(digits).join(", ")}${μ.length > 5 ? ", …" : ""} and ${digits(σ)}`
  if (taken(circuit, plan, data) !== undefined) {
    return [`targets are brought to mean 0 and deviation 1 while it trains (${theirs}); losses are in their own unit`]
  }
  if (σ < farFromOne && σ > 1 / farFromOne && μ.every((mean) => Math.abs(mean) < farFromOne)) return []
  const why = "the circuit does not end with a linear map that could take it back"
  return [`warning: targets are trained on as they are, far from mean 0 and deviation 1 (${theirs}), since ${why}`]
}
