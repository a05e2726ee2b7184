/**
 * One step of a phase as a formula: from the state by name to the arrays it changes.
 */
import { Record } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import * as Clip from "../optimization/Clip.ts"
import * as Loss from "../optimization/Loss.ts"
import * as Regularizer from "../optimization/Regularizer.ts"
import { gradients } from "../program/Gradient.ts"
import type { Training } from "../relaxation/Cut.ts"
import * as HiddenLoss from "../relaxation/HiddenLoss.ts"
import * as LocalStep from "../relaxation/LocalStep.ts"
import * as RelaxedObjective from "../relaxation/RelaxedObjective.ts"
import type { DType } from "../tensor/DType.ts"
import * as Shape from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import * as Throwing from "../tensor/Throwing.ts"
import * as ParameterGroup from "./ParameterGroup.ts"
import type * as Phase from "./Phase.ts"
import * as PhaseState from "./PhaseState.ts"
import * as Rates from "./Rates.ts"

type Given = PhaseState.Given

type Slopes = ReadonlyMap<string, Tensor>

/** The relaxed objective of a phase; the free run's loss if it does not relax; `training` is given where it is part of a step. */
export const objective = (
  { circuit, task }: PhaseState.Subject,
  phase: Phase.Phase,
  sites: ReadonlySet<string>,
  given: Given,
  training?: Training
): RelaxedObjective.Relaxed => {
  const relaxation: RelaxedObjective.Relaxation =
    phase.kind === "relax"
      ? {
          sites,
          hidden: phase.hidden,
          energy: phase.energy,
          // A measurement uses the phase's λ, whatever its ramp.
          λ: given.λ ?? phase.λ,
          weight: phase.weight,
          penalty: phase.penalty,
          training,
          ...(phase.multipliers === undefined
            ? {}
            : { multiplier: (place: string) => given[PhaseState.multiplier(place)]! }),
          ...(given.λ === undefined || phase.noise === undefined
            ? {}
            : { noise: (place: string) => given[PhaseState.noise(place)]! })
        }
      : { sites: new Set(), hidden: HiddenLoss.squared, energy: "mean", λ: 1, training }
  return RelaxedObjective.make(
    circuit,
    relaxation,
    phase.loss ?? Loss.forTask[task],
    (name) => given[name]!,
    (place) => given[PhaseState.auxiliary(place)]!,
    given.x!,
    given.y!
  )
}

/** Returns parameters, running statistics, auxiliaries, multipliers and slots after one step. */
export const step = (
  subject: PhaseState.Subject,
  phase: Phase.Phase,
  { groups, sites }: PhaseState.PhaseState,
  given: Given
): Given => {
  const { circuit } = subject
  const names = groups.flatMap(({ members }) => members)
  const parameters = Circuit.parameters(circuit)
  const weights = names.filter((name) => parameters[name]?.role === "weight").map((name) => given[name]!)
  const penalty = phase.regularizer === undefined ? undefined : Regularizer.penalty(phase.regularizer, weights)
  const tensors = names.map((name) => given[name]!)
  const update = (slopes: ReadonlyArray<Tensor>): Given => {
    const limited = phase.clip === undefined || slopes.length === 0 ? slopes : Clip.norm(slopes, phase.clip)
    return updated(circuit, phase, groups, given, new Map(names.map((name, i) => [name, limited[i]!])))
  }
  const distances: Array<Tensor> = []
  const training: Training = { random: true, onStatistic: (_, __, distance) => distances.push(distance) }
  if (phase.kind === "alternate") {
    const θ = (name: string) => given[name]!
    const L_y = phase.loss ?? Loss.forTask[subject.task]
    const local = LocalStep.make(circuit, sites, L_y, θ, names, given.x!, given.y!, training)
    const { means } = local
    const slopes =
      penalty === undefined ? local.slopes : gradients(penalty, tensors).map((g, i) => g.add(local.slopes[i]!))
    // Centring a single example would leave nothing.
    const moved =
      phase.centred && Number(given.x!.shape[0]) >= 2 ? centred(names, means, given, slopes, update) : update(slopes)
    return { ...moved, ...followed(circuit, distances, given) }
  }
  const { differences, loss } = objective(subject, phase, sites, given, training)
  const slopes = gradients(penalty === undefined ? loss : loss.add(penalty), tensors)
  const next = { ...update(slopes), ...followed(circuit, distances, given) }
  if (phase.kind !== "relax" || phase.multipliers === undefined) return next
  const ascended = [...differences].map(([place, difference]) => {
    const name = PhaseState.multiplier(place)
    return [name, given[name]!.add(difference.mul(given.λ!.mul(2 * phase.multipliers!)))] as const
  })
  return { ...next, ...Object.fromEntries(ascended) }
}

/** Update rate of running statistics, PyTorch's momentum. */
const following = 0.1

/** Running statistics r ← r − 0.1 ∂D/∂r with D = Σ ½ ‖r − s‖²: a tenth of the way to the batch's statistic s. */
const followed = (circuit: Circuit.Circuit, distances: ReadonlyArray<Tensor>, given: Given): Given => {
  const names = Object.entries(Circuit.parameters(circuit)).flatMap(([name, of]) =>
    Circuit.isTrained(of) ? [] : [name]
  )
  if (names.length === 0 || distances.length === 0) return {}
  const slopes = gradients(
    distances.reduce((a, b) => a.add(b)),
    names.map((name) => given[name]!)
  )
  return Object.fromEntries(names.map((name, i) => [name, given[name]!.sub(slopes[i]!.mul(following))]))
}

/** Each array updated by its rule, with the rule's slots. */
const updated = (
  circuit: Circuit.Circuit,
  phase: Phase.Phase,
  groups: ReadonlyArray<ParameterGroup.ParameterGroup>,
  given: Given,
  slopes: Slopes
): Given =>
  Object.assign(
    {},
    ...groups.map((own) => {
      const [first] = own.members as readonly [string]
      const [rule, rate] = [Rates.rule(circuit, phase, first), given[Rates.of(circuit, phase, first)]!]
      const slotOf = (name: string) => PhaseState.slot(name, own.name)
      const declared = rule.initial([2], 0)
      const before = Record.map(declared, (_, name) => given[slotOf(name)]!)
      const parameter = ParameterGroup.join(own, (name) => given[name]!)
      const gradient = ParameterGroup.join(own, (name) => slopes.get(name)!)
      const next = Throwing.at(`the rule ${rule.name}`, () => {
        const moved = rule.update(parameter, gradient, before, rate)
        // A single number of a whole batch, such as a norm, is each example's.
        const isSingle = (name: string) => declared[name]?.shape.length === 0
        const slots = Record.map(moved.slots, (slot, name) =>
          slot.shape.length === 0 && isSingle(name) ? slot.broadcastTo(before[name]!.shape) : slot
        )
        checkMoved(rule.name, { parameter, ...before }, { parameter: moved.parameter, ...slots })
        return { parameter: moved.parameter, slots }
      })
      return {
        ...ParameterGroup.split(own, next.parameter, (name) => given[name]!),
        ...Record.mapKeys(next.slots, slotOf)
      }
    })
  )

/** Fails where a rule of one's own returns other arrays than it was given. */
const checkMoved = (rule: string, before: Given, after: Given): void => {
  const inWords = (of: Given) =>
    Object.keys(of)
      .sort()
      .map((name) => `${name} ${Shape.show(of[name]!.shape)}${types[of[name]!.dtype]}`)
      .join(", ")
  const [expected, came] = [inWords(before), inWords(after)]
  if (expected === came) return
  const advice = "return the parameter and each slot under its name, in the shape that it has, as real numbers"
  throw new ShapeMismatch({ operation: `the rule ${rule}`, expected, came, advice })
}

const types: Readonly<Record<DType, string>> = { float: "", int: " of whole numbers", bool: " of truth values" }

/**
 * The step with each map's input centred: its gradients are those of x − m, and its bias compensates for what the weight's step does to the mean m.
 */
const centred = (
  names: ReadonlyArray<string>,
  means: ReadonlyMap<string, Tensor>,
  given: Given,
  slopes: ReadonlyArray<Tensor>,
  update: (slopes: ReadonlyArray<Tensor>) => Given
): Given => {
  const slopeOf: Slopes = new Map(names.map((name, i) => [name, slopes[i]!]))
  const biasOf = (name: string) => name.replace(/weight$/, "bias")
  const meanOf = (name: string) =>
    name.endsWith("weight") && slopeOf.has(biasOf(name)) ? means.get(name.replace(/\.weight$/, "")) : undefined
  const moved = update(
    names.map((name) => {
      const m = meanOf(name)
      return m === undefined ? slopeOf.get(name)! : LocalStep.centred(slopeOf.get(name)!, slopeOf.get(biasOf(name))!, m)
    })
  )
  const compensated = names.flatMap((name) => {
    const m = meanOf(name)
    if (m === undefined) return []
    return [[biasOf(name), LocalStep.compensated(moved[biasOf(name)]!, moved[name]!.sub(given[name]!), m)] as const]
  })
  return { ...moved, ...Object.fromEntries(compensated) }
}
