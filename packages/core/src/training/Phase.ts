/**
 * One phase of a plan: a way of training for at most so many steps.
 */
import type * as Optimizer from "../optimization/Optimizer.ts"
import * as Rprop from "../optimization/Rprop.ts"
import * as Cut from "../relaxation/Cut.ts"
import type { Energy } from "../relaxation/RelaxedObjective.ts"

/** When a phase that must not spoil what it was given goes back to the best parameters, and how much more careful it is then. */
export interface Careful {
  /** Steps without a better free run before it goes back. */
  readonly patience: number
  /** What the rate is divided by. */
  readonly divisor: number
  /** How often it goes back before it gives up. */
  readonly attempts: number
}

interface Common {
  readonly steps: number
  readonly optimizer: Optimizer.Optimizer
  /** Steps between two measurements of the free run. */
  readonly interval: number
  readonly careful?: Careful | undefined
}

/** Trains parameters and auxiliaries jointly on the relaxed objective (eq. 4). */
export interface Relax extends Common {
  readonly kind: "relax"
  readonly cut: Cut.Cut
  /** The weight of the hidden energies. */
  readonly λ: number
  readonly energy: Energy
  /** Steps between two refreshes, which set each z back to its ẑ of the free run; never where undefined. */
  readonly refresh?: number | undefined
}

/** Trains parameters alone on the free run's output loss. */
export interface Backpropagate extends Common {
  readonly kind: "backpropagate"
}

/** A phase of training. */
export type Phase = Relax | Backpropagate

/** The paper's relaxing: every linear map cut, λ = 1, mean energies, Rprop 0.1 as in the prototype. */
export const relax = (options: { readonly steps: number } & Partial<Omit<Relax, "kind">>): Relax => ({
  kind: "relax",
  optimizer: Rprop.make(0.1),
  interval: 10,
  cut: Cut.paper,
  λ: 1,
  energy: "mean",
  ...options
})

/** Backpropagation through the free run, with Rprop 0.001. */
export const backpropagate = (
  options: { readonly steps: number } & Partial<Omit<Backpropagate, "kind">>
): Backpropagate => ({ kind: "backpropagate", optimizer: Rprop.make(1e-3), interval: 10, ...options })

/** The phase as `--plan` takes it: `relax:60:rprop=0.001:every=10`. */
export const print = (phase: Phase): string => {
  const parts = [phase.kind, String(phase.steps), `${phase.optimizer.name}=${phase.optimizer.rate}`]
  if (phase.kind === "backpropagate") return parts.join(":")
  const { cut, energy, refresh, λ } = phase
  if (cut.every !== 1) parts.push(`every=${cut.every}`)
  if (λ !== 1) parts.push(`lambda=${λ}`)
  if (cut.after !== "linear") parts.push(`after=${typeof cut.after === "string" ? cut.after : "predicate"}`)
  if (energy !== "mean") parts.push(`energy=${energy}`)
  if (refresh !== undefined) parts.push(`refresh=${refresh}`)
  if (cut.output) parts.push("output")
  return parts.join(":")
}
