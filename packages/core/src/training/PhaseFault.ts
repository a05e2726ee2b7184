/**
 * Invalid numbers in a phase built in code; a phase written as text is checked where it is parsed.
 */
import * as Bound from "./Bound.ts"
import type { Phase } from "./Phase.ts"

/** An invalid number of a phase: what was expected, and what was given. */
export interface PhaseFault {
  readonly expected: string
  readonly came: string
}

const patient: Bound.Bound = { expected: "a number of steps from 1 or Infinity", fits: (value) => value >= 1 }

const dividing: Bound.Bound = { expected: "a number from 1", fits: (value) => value >= 1 && Number.isFinite(value) }

/** Returns the first invalid number of a phase, undefined if there is none. */
export const of = (phase: Phase): PhaseFault | undefined => {
  const relaxing = phase.kind === "relax" ? phase : undefined
  const numbers: ReadonlyArray<readonly [name: string, value: number | undefined, bound: Bound.Bound]> = [
    ["steps", phase.steps, Bound.counting],
    ["epochs", phase.epochs, Bound.counting],
    ["interval", phase.interval, Bound.counting],
    [`the rate of ${phase.optimizer.name}`, phase.optimizer.rate, Bound.positive],
    ["clip", phase.clip, Bound.positive],
    ["l1", phase.regularizer?.l1, Bound.fromZero],
    ["l2", phase.regularizer?.l2, Bound.fromZero],
    ["patience", phase.careful?.patience, patient],
    ["attempts", phase.careful?.attempts, Bound.counting],
    ["divisor", phase.careful?.divisor, dividing],
    ["every", phase.kind === "backpropagate" ? undefined : phase.cut.every, Bound.counting],
    ["λ", relaxing?.λ, Bound.fromZero],
    [`the rate of ${relaxing?.auxiliaryOptimizer?.name}`, relaxing?.auxiliaryOptimizer?.rate, Bound.positive],
    ["refresh", relaxing?.refresh, Bound.counting],
    ["penalty", relaxing?.penalty, Bound.fromZero],
    ["noise", relaxing?.noise, Bound.fromZero],
    ["multipliers", relaxing?.multipliers, Bound.positive]
  ]
  for (const [name, value, { expected, fits }] of numbers) {
    if (value !== undefined && !fits(value)) {
      return { expected: `${name} of ${phase.kind} to be ${expected}`, came: `${value} came` }
    }
  }
  return undefined
}
