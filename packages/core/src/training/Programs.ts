/**
 * The programs of a phase. Each takes what it needs of the state by name and gives what it changes under the same names:
 *
 *     parameters   1.*.1.weight        auxiliaries   z/1.*.1          multipliers   u/1.*.1
 *     slots        step/1.*.1.weight   held          good/1.*.1.weight                data   x, y, validation/x, validation/y
 *
 * A step is also given what changes from step to step: `rate/…` of each rule, `λ`, the batch as `x` and `y`, and `noise/…`.
 */
import { Effect } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import type { Task } from "../data/Dataset.ts"
import type { Arrays } from "../engine/Engine.ts"
import * as Clip from "../optimization/Clip.ts"
import * as Loss from "../optimization/Loss.ts"
import * as Regularizer from "../optimization/Regularizer.ts"
import { gradients } from "../program/Gradient.ts"
import * as Program from "../program/Program.ts"
import * as Auxiliaries from "../relaxation/Auxiliaries.ts"
import { evaluate } from "../relaxation/Evaluation.ts"
import * as HiddenLoss from "../relaxation/HiddenLoss.ts"
import * as LocalStep from "../relaxation/LocalStep.ts"
import * as RelaxedObjective from "../relaxation/RelaxedObjective.ts"
import * as Segments from "../relaxation/Segments.ts"
import * as NdArray from "../tensor/NdArray.ts"
import type { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import * as Phase from "./Phase.ts"
import * as Rates from "./Rates.ts"
import * as Together from "./Together.ts"

/** What the programs are built for. */
export interface Subject {
  readonly circuit: Circuit.Circuit
  readonly task: Task
  /** The shapes of the training data: [examples, inputs] and [examples, outputs]. */
  readonly x: ReadonlyArray<number>
  readonly y: ReadonlyArray<number>
  /** The number of validation examples, where there are any. */
  readonly validation?: number | undefined
}

/** The programs of one phase. */
export interface Programs {
  /** parameters, auxiliaries, slots → the same, one step on. */
  readonly step: Program.Program
  /** Everything that a measurement reports; changes nothing. */
  readonly measure: Program.Program
  /** parameters → auxiliaries at the free run's predictions; of relaxing phases. */
  readonly refresh: Program.Program | undefined
  /** What is trained and what the rules remember → good/…, and back. */
  readonly hold: Program.Program
  readonly restore: Program.Program
  /** `lost/…` of each trained array, NaN for each turn whose numbers are not all finite. */
  readonly check: Program.Program
  /** What the rules remember at first, at the phase's rates times a factor. */
  readonly slots: (factor: number) => Arrays
  /** Multipliers at 0. */
  readonly multipliers: Arrays
  /** With batches: the axis of the examples of each array that is kept per example, by name. */
  readonly perExample: ReadonlyMap<string, 0 | 1>
  /** The shape of the noise of one step, by name. */
  readonly noise: Readonly<Record<string, ReadonlyArray<number>>>
}

type Given = Readonly<Record<string, Tensor>>

type Shapes = Readonly<Record<string, ReadonlyArray<number>>>

const auxiliary = (place: string): string => `z/${place}`

const multiplier = (place: string): string => `u/${place}`

const good = (of: string): string => `good/${of}`

const slot = (name: string, of: string): string => `${name}/${of}`

/** The parameters that a phase trains: all, those of the last map, or those that a predicate chooses. */
const trainedBy = (circuit: Circuit.Circuit, { only }: Phase.Phase): ReadonlyArray<string> => {
  const names = Object.keys(Circuit.parameters(circuit))
  if (only === undefined) return names
  if (typeof only === "function") return names.filter(only)
  const last = Rates.outputMap(circuit)
  return names.filter((name) => name.startsWith(`${last}.`))
}

/** The programs of a phase on a circuit and data of the given shapes. */
export const make = (subject: Subject, phase: Phase.Phase): Effect.Effect<Programs, ShapeMismatch> =>
  Effect.gen(function* () {
    const { circuit } = subject
    const size = phase.batch ?? subject.x[0]!
    const parameters = Circuit.signature(circuit)
    const sites = Phase.sites(phase, circuit)
    const predictions = (batch: number) =>
      Program.make({ ...parameters, x: [batch, ...subject.x.slice(1)] }, (given: Given) =>
        rename(
          Auxiliaries.freeRun(circuit, sites, (name) => given[name]!, given.x!),
          auxiliary
        )
      )
    const refresh = phase.kind === "relax" ? yield* predictions(subject.x[0]!) : undefined
    const ofBatch = phase.kind === "relax" && size !== subject.x[0] ? yield* predictions(size) : refresh
    const z = shapes(ofBatch?.outputs ?? {})
    const u = phase.kind === "relax" && phase.multipliers !== undefined ? rename(z, (name) => `u/${name.slice(2)}`) : {}
    const moved: Shapes = {
      ...Object.fromEntries(trainedBy(circuit, phase).map((name) => [name, parameters[name] as ReadonlyArray<number>])),
      ...z
    }
    const stacked = new Map(Segments.places(circuit, sites).map((place) => [place.name, place.stacked]))
    /** Kept per example, a batch's rows at a time. */
    const isKept = (name: string) => phase.batch !== undefined && /^[zu]\//.test(name)
    const movedTogether = Together.make(moved, (name) =>
      isKept(name) || Rates.rule(circuit, phase, name).others !== undefined
        ? undefined
        : `together/${Rates.of(circuit, phase, name)}`
    )
    /** Of all examples, where `own` are of a batch: z and its multiplier u have one shape. */
    const full = (own: Shapes): Shapes => {
      const whole = shapes(refresh?.outputs ?? {})
      return Object.fromEntries(
        Object.entries(own).map(([name, shape]) => [name, whole[`z/${name.slice(2)}`] ?? shape])
      )
    }
    const slotsOf = (whole: boolean, factor: number): Arrays =>
      Object.fromEntries(
        movedTogether.flatMap(({ members, name: of, shape }) => {
          const { initial, rate } = Rates.rule(circuit, phase, members[0]!)
          const own = whole && isKept(of) ? full({ [of]: shape })[of]! : shape
          return Object.entries(initial(own, rate * factor)).map(([name, array]) => [slot(name, of), array])
        })
      )
    const multipliers = Object.fromEntries(
      Object.keys(u).map((name) => [name, NdArray.full(shapes(refresh!.outputs)[`z/${name.slice(2)}`]!, 0)])
    )
    const slots = (factor: number): Arrays => slotsOf(true, factor)
    const slotShapes: Shapes = Object.fromEntries(
      Object.entries(slotsOf(false, 1)).map(([name, array]) => [name, array.shape])
    )
    const state: Shapes = { ...(parameters as Shapes), ...z, ...u, ...slotShapes }
    const perExample = new Map<string, 0 | 1>()
    for (const [name, shape] of Object.entries({ ...z, ...u, ...slotShapes })) {
      const [, of] = /^(?:[^/]+\/)?([zu]\/.*)$/.exec(name) ?? []
      if (of === undefined || !isKept(of) || shape.length < 2) continue
      perExample.set(name, stacked.get(of.slice(2)) === true ? 1 : 0)
    }
    const noise: Shapes =
      phase.kind === "relax" && phase.noise !== undefined
        ? Object.fromEntries(Object.entries(z).map(([name, shape]) => [`noise/${name.slice(2)}`, shape]))
        : {}
    const batch = { x: [size, ...subject.x.slice(1)], y: [size, ...subject.y.slice(1)] }
    const step = yield* Program.make({ ...state, ...batch, ...noise, ...Rates.signature(phase) }, (given: Given) =>
      stepped(subject, phase, sites, movedTogether, given)
    )
    const whole = { ...parameters, ...full(z), ...full(u), x: subject.x, y: subject.y }
    const validation =
      subject.validation === undefined
        ? {}
        : {
            "validation/x": [subject.validation, ...subject.x.slice(1)],
            "validation/y": [subject.validation, ...subject.y.slice(1)]
          }
    const measure = yield* Program.make({ ...whole, ...validation }, (given: Given) =>
      measured(subject, phase, sites, given)
    )
    const own = Object.fromEntries(Object.entries(state).filter(([name]) => !perExample.has(name)))
    const hold = yield* Program.make(own, (given: Given) => rename(given, good))
    const restore = yield* Program.make(rename(own, good), (given: Given) =>
      Object.fromEntries(Object.keys(own).map((name) => [name, given[good(name)]!]))
    )
    const inState = Object.keys(moved).filter((name) => !perExample.has(name))
    const check = yield* Program.make(pick(own, inState), (given: Given) =>
      Object.fromEntries(inState.map((name) => [`lost/${name}`, perTurn(given[name]!.sub(given[name]!), name)]))
    )
    return { step, measure, refresh, hold, restore, check, slots, multipliers, perExample, noise }
  })

const objective = (subject: Subject, phase: Phase.Phase, sites: ReadonlySet<string>, given: Given) => {
  const relaxation: RelaxedObjective.Relaxation =
    phase.kind === "relax"
      ? {
          sites,
          hidden: phase.hidden,
          energy: phase.energy,
          // A measurement is taken at the phase's λ, whatever its ramp.
          λ: given.λ ?? phase.λ,
          weight: phase.weight,
          penalty: phase.penalty,
          ...(phase.multipliers === undefined ? {} : { multiplier: (place: string) => given[multiplier(place)]! }),
          ...(given.λ === undefined || phase.noise === undefined
            ? {}
            : { noise: (place: string) => given[`noise/${place}`]! })
        }
      : { sites: new Set(), hidden: HiddenLoss.squared, energy: "mean", λ: 1 }
  return RelaxedObjective.make(
    subject.circuit,
    relaxation,
    Loss.forTask[subject.task],
    (name) => given[name]!,
    (place) => given[auxiliary(place)]!,
    given.x!,
    given.y!
  )
}

const stepped = (
  subject: Subject,
  phase: Phase.Phase,
  sites: ReadonlySet<string>,
  movedTogether: ReadonlyArray<Together.Together>,
  given: Given
): Given => {
  const { circuit } = subject
  const names = movedTogether.flatMap(({ members }) => members)
  const parameters = Circuit.parameters(circuit)
  const weights = names.filter((name) => parameters[name]?.role === "weight").map((name) => given[name]!)
  const penalty = phase.regularizer === undefined ? undefined : Regularizer.penalty(phase.regularizer, weights)
  const limited = (slopes: ReadonlyArray<Tensor>) =>
    phase.clip === undefined || slopes.length === 0 ? slopes : Clip.norm(slopes, phase.clip)
  const tensors = names.map((name) => given[name]!)
  const update = (slopes: ReadonlyArray<Tensor>): Given => {
    const slopeOf = new Map(names.map((name, i) => [name, slopes[i]!]))
    return Object.assign(
      {},
      ...movedTogether.map((together) => {
        const [first] = together.members as readonly [string]
        const [rule, rate] = [Rates.rule(circuit, phase, first), given[Rates.of(circuit, phase, first)]!]
        const slotNames = Object.keys(rule.initial([], 0))
        const before = Object.fromEntries(slotNames.map((name) => [name, given[slot(name, together.name)]!]))
        const parameter = Together.join(together, (name) => given[name]!)
        const gradient = Together.join(together, (name) => slopeOf.get(name)!)
        const next = rule.update(parameter, gradient, before, rate)
        const moved = Together.split(together, next.parameter, (name) => given[name]!)
        return { ...moved, ...rename(next.slots, (name) => slot(name, together.name)) }
      })
    )
  }
  if (phase.kind !== "alternate") {
    const { differences, loss } = objective(subject, phase, sites, given)
    const next = update(limited(gradients(penalty === undefined ? loss : loss.add(penalty), tensors)))
    if (phase.kind !== "relax" || phase.multipliers === undefined) return next
    const ascended = [...differences].map(([place, difference]) => {
      const u = given[multiplier(place)]!
      return [multiplier(place), u.add(difference.mul(given.λ!.mul(2 * phase.multipliers!)))] as const
    })
    return { ...next, ...Object.fromEntries(ascended) }
  }
  const { means, slopes } = LocalStep.make(
    circuit,
    sites,
    Loss.forTask[subject.task],
    (name) => given[name]!,
    names,
    given.x!,
    given.y!
  )
  const regular = penalty === undefined ? slopes : gradients(penalty, tensors).map((g, i) => g.add(slopes[i]!))
  // Of a single example nothing is left but its mean.
  if (!phase.centred || Number(given.x!.shape[0]) < 2) return update(limited(regular))
  const slopeOf = new Map(names.map((name, i) => [name, regular[i]!]))
  const biasOf = (name: string) => name.replace(/weight$/, "bias")
  const meanOf = (name: string) =>
    name.endsWith("weight") && slopeOf.has(biasOf(name)) ? means.get(name.replace(/\.weight$/, "")) : undefined
  const centred = names.map((name) => {
    const m = meanOf(name)
    return m === undefined ? slopeOf.get(name)! : LocalStep.centred(slopeOf.get(name)!, slopeOf.get(biasOf(name))!, m)
  })
  const next: Record<string, Tensor> = { ...update(limited(centred)) }
  for (const name of names) {
    const m = meanOf(name)
    if (m === undefined) continue
    next[biasOf(name)] = LocalStep.compensated(next[biasOf(name)]!, next[name]!.sub(given[name]!), m)
  }
  return next
}

const measured = (subject: Subject, phase: Phase.Phase, sites: ReadonlySet<string>, given: Given): Given => {
  const parameters = Circuit.parameters(subject.circuit)
  const L_y = Loss.forTask[subject.task]
  const θ = (name: string) => given[name]!
  const { loss, output: trainedOutput, relaxed, residuals } = objective(subject, phase, sites, given)
  const output = residuals === undefined ? trainedOutput : evaluate(subject.circuit, θ, given.x!)
  const slopes = gradients(
    loss,
    Object.keys(parameters).map((name) => given[name]!)
  )
  const norms = Object.keys(parameters).map(
    (name, i) => [`square/${name}`, perTurn(slopes[i]!.square(), name)] as const
  )
  const scored = (prefix: string, o: Tensor, y: Tensor) => ({
    [`${prefix}Loss`]: L_y(o, y),
    ...(subject.task === "regression" ? {} : { [`${prefix}Correct`]: Loss.correct(o, y) })
  })
  const validation = given["validation/x"]
  return {
    ...scored("freeRun", output, given.y!),
    ...(validation === undefined
      ? {}
      : scored("validation", evaluate(subject.circuit, θ, validation), given["validation/y"]!)),
    ...(residuals === undefined ? {} : { relaxedLoss: relaxed, residuals }),
    ...Object.fromEntries(norms)
  }
}

/** The sum over each turn of a stacked parameter, or over the only one. */
const perTurn = (values: Tensor, name: string): Tensor => {
  const stacked = name.split(".").filter((step) => step === "*").length
  const leading = values.shape.slice(0, stacked) as ReadonlyArray<number>
  const inner = values.shape.map((_, axis) => axis).slice(stacked)
  return values.sum(inner).reshape([leading.reduce((a, b) => a * b, 1)])
}

const rename = <A>(record: Readonly<Record<string, A>>, to: (name: string) => string): Readonly<Record<string, A>> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [to(name), value]))

const pick = <A>(record: Readonly<Record<string, A>>, names: ReadonlyArray<string>): Readonly<Record<string, A>> =>
  Object.fromEntries(names.flatMap((name) => (record[name] === undefined ? [] : [[name, record[name]] as const])))

const shapes = (tensors: Given): Shapes =>
  Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape as ReadonlyArray<number>]))
