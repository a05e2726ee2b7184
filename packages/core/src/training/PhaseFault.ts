/**
 * What no run can carry out of a phase that is made in code; one that is written as text is checked where it is read.
 */
import type { Phase } from "./Phase.ts"

/** A number of a phase that does not do: what was expected, and what is there. */
export interface PhaseFault {
  readonly expected: string
  readonly came: string
}

type Rule = readonly [expected: string, fits: (value: number) => boolean]

const counting: Rule = ["a whole number from 1", (value) => Number.isInteger(value) && value >= 1]
const positive: Rule = ["a number above 0", (value) => value > 0 && Number.isFinite(value)]
const fromZero: Rule = ["a number from 0", (value) => value >= 0 && Number.isFinite(value)]
const patient: Rule = ["a number of steps from 1 or Infinity", (value) => value >= 1]

/** The first of a phase's numbers that does not do. */
export const of = (phase: Phase): PhaseFault | undefined => {
  const relaxing = phase.kind === "relax" ? phase : undefined
  const numbers: ReadonlyArray<readonly [name: string, value: number | undefined, rule: Rule]> = [
    ["steps", phase.steps, counting],
    ["epochs", phase.epochs, counting],
    ["interval", phase.interval, counting],
    [`the rate of ${phase.optimizer.name}`, phase.optimizer.rate, positive],
    ["clip", phase.clip, positive],
    ["patience", phase.careful?.patience, patient],
    ["attempts", phase.careful?.attempts, counting],
    ["every", phase.kind === "backpropagate" ? undefined : phase.cut.every, counting],
    ["λ", relaxing?.λ, fromZero],
    [`the rate of ${relaxing?.auxiliaryOptimizer?.name}`, relaxing?.auxiliaryOptimizer?.rate, positive],
    ["refresh", relaxing?.refresh, counting],
    ["penalty", relaxing?.penalty, fromZero],
    ["noise", relaxing?.noise, fromZero],
    ["multipliers", relaxing?.multipliers, positive]
  ]
  for (const [name, value, [expected, fits]] of numbers) {
    if (value !== undefined && !fits(value)) {
      return { expected: `${name} of ${phase.kind} to be ${expected}`, came: `${value} came` }
    }
  }
  return undefined
}
