/**
 * The programs of a phase. Each takes what it needs of the state by name and gives what it changes under the same names:
 *
 *     parameters   1.*.1.weight        auxiliaries   z/1.*.1
 *     slots        step/1.*.1.weight   best so far   best/1.*.1.weight      data   x, y
 */
import { Effect } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import type { Task } from "../data/Dataset.ts"
import type { Arrays } from "../engine/Engine.ts"
import * as Loss from "../optimization/Loss.ts"
import type { Optimizer } from "../optimization/Optimizer.ts"
import { gradients } from "../program/Gradient.ts"
import * as Program from "../program/Program.ts"
import * as Auxiliaries from "../relaxation/Auxiliaries.ts"
import * as Cut from "../relaxation/Cut.ts"
import { evaluate } from "../relaxation/Evaluation.ts"
import * as RelaxedObjective from "../relaxation/RelaxedObjective.ts"
import type { Shape } from "../tensor/Shape.ts"
import type { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import type { Phase } from "./Phase.ts"

/** What the programs are built for. */
export interface Subject {
  readonly circuit: Circuit.Circuit
  readonly task: Task
  /** The shapes of the training data: [examples, inputs] and [examples, outputs]. */
  readonly x: ReadonlyArray<number>
  readonly y: ReadonlyArray<number>
}

/** The programs of one phase. */
export interface Programs {
  /** parameters, auxiliaries, slots → the same, one step on. */
  readonly step: Program.Program
  /** Everything that a measurement reports; changes nothing. */
  readonly measure: Program.Program
  /** parameters → auxiliaries at the free run's predictions; of relaxing phases. */
  readonly refresh: Program.Program | undefined
  /** parameters, auxiliaries → best/…, and back. */
  readonly keep: Program.Program
  readonly restore: Program.Program
  /** What the optimiser remembers at first. */
  readonly slots: (optimizer: Optimizer) => Arrays
}

type Given = Readonly<Record<string, Tensor>>

const auxiliary = (place: string): string => `z/${place}`

const best = (of: string): string => `best/${of}`

const slot = (name: string, of: string): string => `${name}/${of}`

/** The programs of a phase on a circuit and data of the given shapes. */
export const make = (subject: Subject, phase: Phase): Effect.Effect<Programs, ShapeMismatch> =>
  Effect.gen(function* () {
    const { circuit } = subject
    const parameters = Circuit.signature(circuit)
    const data = { x: subject.x, y: subject.y }
    const sites = phase.kind === "relax" ? Cut.sites(circuit, phase.cut) : new Set<string>()
    const refresh =
      phase.kind === "relax"
        ? yield* Program.make({ ...parameters, x: subject.x }, (given: Given) =>
            rename(
              Auxiliaries.freeRun(circuit, sites, (name) => given[name]!, given.x!),
              auxiliary
            )
          )
        : undefined
    const auxiliaries = shapes(refresh?.outputs ?? {})
    const trained: Readonly<Record<string, Shape>> = { ...parameters, ...auxiliaries }
    const slots = (optimizer: Optimizer): Arrays =>
      Object.fromEntries(
        Object.entries(trained).flatMap(([of, shape]) =>
          Object.entries(optimizer.initial(shape as ReadonlyArray<number>)).map(([name, array]) => [
            slot(name, of),
            array
          ])
        )
      )
    const slotShapes = Object.fromEntries(
      Object.entries(slots(phase.optimizer)).map(([name, array]) => [name, array.shape])
    )
    const step = yield* Program.make({ ...trained, ...data, ...slotShapes }, (given: Given) => {
      const names = Object.keys(trained)
      const { loss } = objective(subject, phase, sites, given)
      const slopes = gradients(
        loss,
        names.map((name) => given[name]!)
      )
      return Object.assign({}, ...names.map((name, i) => updated(phase.optimizer, name, given, slopes[i]!)))
    })
    const measure = yield* Program.make({ ...trained, ...data }, (given: Given) =>
      measured(subject, phase, sites, given)
    )
    const keep = yield* Program.make(trained, (given: Given) => rename(given, best))
    const restore = yield* Program.make(rename(trained, best), (given: Given) =>
      Object.fromEntries(Object.keys(trained).map((name) => [name, given[best(name)]!]))
    )
    return { step, measure, refresh, keep, restore, slots }
  })

const objective = (subject: Subject, phase: Phase, sites: ReadonlySet<string>, given: Given) => {
  const relaxation =
    phase.kind === "relax" ? { sites, λ: phase.λ, energy: phase.energy } : { sites, λ: 1, energy: "mean" as const }
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

const updated = (optimizer: Optimizer, of: string, given: Given, gradient: Tensor): Given => {
  const names = Object.keys(optimizer.initial([]))
  const slots = Object.fromEntries(names.map((name) => [name, given[slot(name, of)]!]))
  const next = optimizer.update(given[of]!, gradient, slots)
  return { [of]: next.parameter, ...rename(next.slots, (name) => slot(name, of)) }
}

const measured = (subject: Subject, phase: Phase, sites: ReadonlySet<string>, given: Given): Given => {
  const parameters = Circuit.parameters(subject.circuit)
  const { loss, output: trainedOutput, residuals } = objective(subject, phase, sites, given)
  const output = residuals === undefined ? trainedOutput : evaluate(subject.circuit, (name) => given[name]!, given.x!)
  const slopes = gradients(
    loss,
    Object.keys(parameters).map((name) => given[name]!)
  )
  const norms = Object.keys(parameters).map((name, i) => [`square/${name}`, perTurn(slopes[i]!, name)] as const)
  return {
    freeRunLoss: Loss.forTask[subject.task](output, given.y!),
    ...(subject.task === "regression" ? {} : { correct: Loss.correct(output, given.y!) }),
    ...(residuals === undefined ? {} : { relaxedLoss: loss, residuals }),
    ...Object.fromEntries(norms)
  }
}

/** ‖g‖² of each turn of a stacked parameter, or of the only one. */
const perTurn = (gradient: Tensor, name: string): Tensor => {
  const stacked = name.split(".").filter((step) => step === "*").length
  const leading = gradient.shape.slice(0, stacked) as ReadonlyArray<number>
  const inner = gradient.shape.map((_, axis) => axis).slice(stacked)
  return gradient
    .square()
    .sum(inner)
    .reshape([leading.reduce((a, b) => a * b, 1)])
}

const rename = <A>(record: Readonly<Record<string, A>>, to: (name: string) => string): Readonly<Record<string, A>> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [to(name), value]))

const shapes = (tensors: Given): Readonly<Record<string, Shape>> =>
  Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]))
