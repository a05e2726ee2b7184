/**
 * Which rule moves which array, and what a step is told of rates and λ.
 */
import * as Circuit from "../circuit/Circuit.ts"
import type { Arrays } from "../engine/Engine.ts"
import type { Optimizer } from "../optimization/Optimizer.ts"
import type { Phase } from "./Phase.ts"

type Rate = "rate" | "rate/others" | "rate/auxiliaries"

/** The name of the rate that moves an array. */
export const of = (circuit: Circuit.Circuit, phase: Phase, name: string): Rate => {
  const { optimizer } = phase
  if (name.startsWith("z/")) {
    if (phase.kind === "relax" && phase.auxiliaryOptimizer !== undefined) return "rate/auxiliaries"
    return optimizer.others === undefined ? "rate" : "rate/others"
  }
  const parameter = Circuit.parameters(circuit)[name]
  const axes = (parameter?.shape.length ?? 0) - name.split(".").filter((step) => step === "*").length
  const hidden = parameter?.role === "weight" && axes === 2 && !name.startsWith(`${Circuit.outputMap(circuit)}.`)
  return optimizer.others === undefined || hidden ? "rate" : "rate/others"
}

const rules = (phase: Phase): Readonly<Record<Rate, Optimizer>> => {
  const { optimizer } = phase
  const others = optimizer.others ?? optimizer
  return {
    rate: optimizer,
    "rate/others": others,
    "rate/auxiliaries": (phase.kind === "relax" ? phase.auxiliaryOptimizer : undefined) ?? others
  }
}

/** The rule that moves an array. */
export const rule = (circuit: Circuit.Circuit, phase: Phase, name: string): Optimizer =>
  rules(phase)[of(circuit, phase, name)]

const names = (phase: Phase): ReadonlyArray<Rate> => [
  "rate",
  ...(phase.optimizer.others === undefined ? [] : ["rate/others" as const]),
  ...(phase.kind === "relax" && phase.auxiliaryOptimizer !== undefined ? ["rate/auxiliaries" as const] : [])
]

/** What a step is given besides state and data: each rate, and λ in relaxing phases. */
export const signature = (phase: Phase): Readonly<Record<string, ReadonlyArray<number>>> =>
  Object.fromEntries([...names(phase), ...(phase.kind === "relax" ? ["λ"] : [])].map((name) => [name, []]))

/** Their values at a share t of the phase; `factor` is what a careful phase has left of its rates. */
export const values = (phase: Phase, factor: number, t: number): Arrays => {
  const scalar = (value: number) => ({ shape: [], data: Float64Array.of(value) })
  const rates = names(phase).map(
    (name) => [name, scalar(rules(phase)[name].rate * factor * phase.curve.at(t))] as const
  )
  const λ = phase.kind === "relax" ? [["λ", scalar(phase.λ * phase.ramp.at(t))] as const] : []
  return Object.fromEntries([...rates, ...λ])
}
