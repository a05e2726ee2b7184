/**
 * The programs of a phase. Each takes the part of the state it needs by name (`PhaseState`) and returns what it changes under the same names.
 */
import { Effect, Record, Struct } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import * as Loss from "../optimization/Loss.ts"
import { gradients } from "../program/Gradient.ts"
import * as Program from "../program/Program.ts"
import { evaluate } from "../relaxation/Evaluation.ts"
import type { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import type * as Phase from "./Phase.ts"
import * as PhaseState from "./PhaseState.ts"
import * as PhaseStep from "./PhaseStep.ts"
import * as Rates from "./Rates.ts"
import * as TargetUnit from "./TargetUnit.ts"

/** The programs of one phase. */
export interface Programs {
  /** parameters, auxiliaries, slots → the same after one step. */
  readonly step: Program.Program
  /** Everything that a measurement reports; changes nothing. */
  readonly measure: Program.Program
  /** parameters → auxiliaries set to the free run's predictions; only in relaxing phases. */
  readonly refresh: Program.Program | undefined
  /** Parameters, auxiliaries and slots → good/…, and back. */
  readonly hold: Program.Program
  readonly restore: Program.Program
  /** `lost/…` for each array that a rule updates: NaN for each turn with a non-finite number. */
  readonly check: Program.Program
}

type Given = PhaseState.Given

/** Builds the programs of a phase whose state is laid out. */
export const make = Effect.fn("Programs.make")(function* (
  subject: PhaseState.Subject,
  phase: Phase.Phase,
  state: PhaseState.PhaseState,
  unit?: TargetUnit.TargetUnit
): Effect.fn.Return<Programs, ShapeMismatch> {
  const { validation, x, y } = subject
  const of = (examples: number, prefix = "") => ({
    [`${prefix}x`]: [examples, ...x.slice(1)],
    [`${prefix}y`]: [examples, ...y.slice(1)]
  })
  const batch = of(phase.batch ?? x[0]!)
  const step = yield* Program.make(
    { ...state.stepped, ...batch, ...state.noise, ...state.uniforms, ...Rates.signature(phase) },
    (given: Given) => PhaseStep.step(subject, phase, state, given)
  )
  const measure = yield* Program.make(
    { ...state.whole, x, y, ...(validation === undefined ? {} : of(validation, "validation/")) },
    (given: Given) => measured(subject, phase, state.sites, given, unit)
  )
  const own = Record.filter(state.stepped, (_, name) => !state.perExample.has(name))
  const hold = yield* Program.make(own, (given: Given) => Record.mapKeys(given, PhaseState.good))
  const restore = yield* Program.make(Record.mapKeys(own, PhaseState.good), (given: Given) =>
    Record.map(own, (_, name) => given[PhaseState.good(name)]!)
  )
  const moved = state.groups.flatMap(({ members }) => members).filter((name) => !state.perExample.has(name))
  const check = yield* Program.make(Struct.pick(own, moved), (given: Given) =>
    Object.fromEntries(moved.map((name) => [PhaseState.lost(name), perTurn(given[name]!.sub(given[name]!), name)]))
  )
  return { step, measure, refresh: state.refresh, hold, restore, check }
})

const measured = (
  subject: PhaseState.Subject,
  phase: Phase.Phase,
  sites: ReadonlySet<string>,
  given: Given,
  unit: TargetUnit.TargetUnit | undefined
): Given => {
  const parameters = Record.filter(Circuit.parameters(subject.circuit), Circuit.isTrained)
  const trainedLoss = phase.loss ?? Loss.forTask[subject.task]
  const L_y: Loss.Loss = (o, y) =>
    unit === undefined ? trainedLoss(o, y) : trainedLoss(TargetUnit.weighted(unit, o), TargetUnit.weighted(unit, y))
  const θ = (name: string) => given[name]!
  const { loss, output: trainedOutput, relaxed, residuals } = PhaseStep.objective(subject, phase, sites, given)
  const output = residuals === undefined ? trainedOutput : evaluate(subject.circuit, θ, given.x!)
  const slopes = gradients(
    loss,
    Object.keys(parameters).map((name) => given[name]!)
  )
  const norms = Object.keys(parameters).map(
    (name, i) => [PhaseState.gradient(name), perTurn(slopes[i]!.square(), name)] as const
  )
  const weighted = (relaxed: Tensor) =>
    unit === undefined ? relaxed : relaxed.sub(trainedLoss(trainedOutput, given.y!)).add(L_y(trainedOutput, given.y!))
  const isShared = unit !== undefined && TargetUnit.isOfSeveral(unit)
  const scored = (prefix: string, o: Tensor, y: Tensor) => ({
    [`${prefix}Loss`]: L_y(o, y),
    ...(isShared ? { [`${prefix}Share`]: trainedLoss(o, y) } : {}),
    ...(subject.task === "regression" ? {} : { [`${prefix}Correct`]: Loss.correct(o, y) })
  })
  const validation = given["validation/x"]
  return {
    ...scored("freeRun", output, given.y!),
    ...(validation === undefined
      ? {}
      : scored("validation", evaluate(subject.circuit, θ, validation), given["validation/y"]!)),
    ...(residuals === undefined ? {} : { relaxedLoss: weighted(relaxed), residuals }),
    ...(residuals === undefined || !isShared ? {} : { relaxedShare: relaxed }),
    ...Object.fromEntries(norms)
  }
}

/** Sum per turn of a stacked array, or over the whole of an array that is not stacked. */
const perTurn = (values: Tensor, name: string): Tensor => {
  const stacked = name.split(".").filter((step) => step === "*").length
  const leading = values.shape.slice(0, stacked) as ReadonlyArray<number>
  const inner = values.shape.map((_, axis) => axis).slice(stacked)
  return values.sum(inner).reshape([leading.reduce((a, b) => a * b, 1)])
}
