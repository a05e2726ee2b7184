/**
 * Which rule updates which array, and the rates and λ that a step takes as inputs.
 */
import * as Circuit from "../circuit/Circuit.ts"
import type { Arrays } from "../engine/Engine.ts"
import * as Curve from "../optimization/Curve.ts"
import type { Optimizer } from "../optimization/Optimizer.ts"
import type { Phase } from "./Phase.ts"

type Rate = "rate" | "rate/others" | "rate/auxiliaries"

/** Returns the name of the rate that applies to an array. */
export const of = (circuit: Circuit.Circuit, phase: Phase, name: string): Rate => {
  const { optimizer } = phase
  if (name.startsWith("z/")) {
    if (phase.kind === "relax" && phase.auxiliaryOptimizer !== undefined) return "rate/auxiliaries"
    return optimizer.others === undefined ? "rate" : "rate/others"
  }
  const parameter = Circuit.parameters(circuit)[name]
  const axes = (parameter?.shape.length ?? 0) - name.split(".").filter((step) => step === "*").length
  const hidden = parameter?.role === "weight" && axes === 2 && !Circuit.outputParameters(circuit).has(name)
  return optimizer.others === undefined || hidden ? "rate" : "rate/others"
}

/** The rule behind each rate. */
export const rules = (phase: Phase): Readonly<Record<Rate, Optimizer>> => {
  const { optimizer } = phase
  const others = optimizer.others ?? optimizer
  return {
    rate: optimizer,
    "rate/others": others,
    "rate/auxiliaries": (phase.kind === "relax" ? phase.auxiliaryOptimizer : undefined) ?? others
  }
}

/** Returns the rule that updates an array. */
export const rule = (circuit: Circuit.Circuit, phase: Phase, name: string): Optimizer =>
  rules(phase)[of(circuit, phase, name)]

const names = (phase: Phase): ReadonlyArray<Rate> => [
  "rate",
  ...(phase.optimizer.others === undefined ? [] : ["rate/others" as const]),
  ...(phase.kind === "relax" && phase.auxiliaryOptimizer !== undefined ? ["rate/auxiliaries" as const] : [])
]

/** Inputs of a step besides state and data: each rate, and λ in relaxing phases. */
export const signature = (phase: Phase): Readonly<Record<string, ReadonlyArray<number>>> =>
  Object.fromEntries([...names(phase), ...(phase.kind === "relax" ? ["λ"] : [])].map((name) => [name, []]))

/** Returns their values at fraction t of the phase; `factor` is what remains of the rates after a careful phase has lowered them. */
export const values = (phase: Phase, factor: number, t: number): Arrays => {
  const scalar = (value: number) => ({ shape: [], data: Float64Array.of(value) })
  const rates = names(phase).map(
    (name) => [name, scalar(rules(phase)[name].rate * factor * Curve.factor(phase.curve, t))] as const
  )
  const λ = phase.kind === "relax" ? [["λ", scalar(phase.λ * Curve.factor(phase.ramp, t))] as const] : []
  return Object.fromEntries([...rates, ...λ])
}
