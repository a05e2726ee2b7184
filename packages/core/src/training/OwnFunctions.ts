/**
 * The functions of a run that are not this library's: a stage, a loss, a rule, a curve or a predicate of one's own.
 */
import * as BlockKinds from "../circuit/BlockKinds.ts"
import * as Circuit from "../circuit/Circuit.ts"
import * as Curve from "../optimization/Curve.ts"
import type { Optimizer } from "../optimization/Optimizer.ts"
import * as Rules from "../optimization/Rules.ts"
import * as HiddenLoss from "../relaxation/HiddenLoss.ts"
import type * as Phase from "./Phase.ts"
import type { Plan } from "./Plan.ts"
import * as Sha256 from "./Sha256.ts"

/** Prints where each of them stands and the beginning of its text's SHA-256: `block 1 apply 5d2f0a9c1b3e, phase 2 loss 9c81d0e43f2a`, or `none`. */
export const print = (circuit: Circuit.Circuit, plan: Plan): string => {
  const found = [
    ...Circuit.leaves(circuit).flatMap(({ block: { apply, graph, kind, settings, training }, path }) =>
      // An imported network's formula is its graph, which counts as data.
      graph !== undefined
        ? []
        : own({ apply, training }, BlockKinds.table[kind]?.make(settings), path === "" ? "block" : `block ${path}`)
    ),
    ...plan.phases.flatMap((phase, i) => own(phase, usual(phase), `phase ${i + 1}`))
  ]
  return found.length === 0 ? "none" : found.map(({ text, where }) => `${where} ${digest(text)}`).join(", ")
}

interface Found {
  readonly where: string
  readonly text: string
}

/** The functions in `value` that do not read as the one at the same place in `usual`. */
const own = (value: unknown, usual: unknown, where: string): ReadonlyArray<Found> => {
  if (typeof value === "function") {
    const text = String(value)
    return text === String(usual) ? [] : [{ where, text }]
  }
  if (typeof value !== "object" || value === null) return []
  const others = (usual ?? {}) as Readonly<Record<string, unknown>>
  return Object.entries(value).flatMap(([name, inner]) => own(inner, others[name], `${where} ${name}`))
}

/** What this library has under the names that a phase says. */
const usual = (phase: Phase.Phase) => {
  const rule = ({ name, rate, settings }: Optimizer) =>
    Object.hasOwn(Rules.table, name) ? Rules.table[name]!.make(rate, settings) : undefined
  const always = { optimizer: rule(phase.optimizer), curve: Curve.named(phase.curve.name) }
  if (phase.kind !== "relax") return always
  const { auxiliaryOptimizer, hidden, ramp } = phase
  return {
    ...always,
    ramp: Curve.named(ramp.name),
    hidden: HiddenLoss.table[hidden.name],
    auxiliaryOptimizer: auxiliaryOptimizer && rule(auxiliaryOptimizer)
  }
}

const digest = (text: string): string => Sha256.hex(text).slice(0, 12)
