/**
 * Invalid numbers in a phase built in code; a phase written as text is checked where it is parsed.
 */
import { type Curve, factor } from "../optimization/Curve.ts"
import type { Optimizer, Settings } from "../optimization/Optimizer.ts"
import * as Rules from "../optimization/Rules.ts"
import * as Bound from "./Bound.ts"
import type { Phase } from "./Phase.ts"

/** An invalid number of a phase: what was expected, and what was given. */
export interface PhaseFault {
  readonly expected: string
  readonly came: string
}

const patient: Bound.Bound = { expected: "a number of steps from 1 or Infinity", fits: (value) => value >= 1 }

const dividing: Bound.Bound = { expected: "a number from 1", fits: (value) => value >= 1 && Number.isFinite(value) }

const share: Bound.Bound = { expected: "a number from 0, below 1", fits: (value) => value >= 0 && value < 1 }

const atLeastZero: Bound.Bound = { expected: "a number from 0", fits: (value) => value >= 0 }

const flag: Bound.Bound = { expected: "0 or 1", fits: (value) => value === 0 || value === 1 }

/** Settings of running means, and flags; the others have no upper bound. */
const bounds: Readonly<Record<string, Bound.Bound>> = { beta1: share, beta2: share, smoothing: share, nesterov: flag }

/** The range of a rule's setting, among `all` of them; of the smallest and the largest, one that was `given` is the one at fault. */
const boundOf = (setting: string, all: Settings, given: Settings): Bound.Bound => {
  const { largest, smallest } = all
  if (setting === "smallest" && largest !== undefined && given.largest === undefined)
    return {
      expected: `a number from 0 to the largest, ${largest}`,
      fits: (value) => value >= 0 && value <= largest
    }
  return setting === "largest" && smallest !== undefined
    ? { expected: `a number from the smallest, ${smallest}`, fits: (value) => value >= smallest }
    : (bounds[setting] ?? atLeastZero)
}

type Numbered = readonly [name: string, value: number | undefined, bound: Bound.Bound]

/** The numbers of a rule; what the settings of a rule of one's own mean is not known here. */
const ofRule = ({ name, rate, settings }: Optimizer): ReadonlyArray<Numbered> => {
  const all: Settings = Object.hasOwn(Rules.table, name) ? { ...Rules.table[name]!.defaults, ...settings } : {}
  return [
    [`the rate of ${name}`, rate, Bound.positive],
    ...Object.entries(all).map(
      ([setting, value]): Numbered => [`${setting} of ${name}`, value, boundOf(setting, all, settings)]
    )
  ]
}

/** A curve's factors at each tenth of the phase. */
const ofCurve = (curve: Curve | undefined): ReadonlyArray<Numbered> =>
  curve === undefined
    ? []
    : Array.from({ length: 10 }, (_, tenth) => [
        `${curve.name} at ${tenth / 10}`,
        factor(curve, tenth / 10),
        Bound.fromZero
      ])

/** Returns the first invalid number of a phase, undefined if there is none. */
export const of = (phase: Phase): PhaseFault | undefined => {
  const relaxing = phase.kind === "relax" ? phase : undefined
  const numbers: ReadonlyArray<Numbered> = [
    ["steps", phase.steps, Bound.counting],
    ["epochs", phase.epochs, Bound.counting],
    ["interval", phase.interval, Bound.counting],
    ...ofRule(phase.optimizer),
    ...ofCurve(phase.curve),
    ["clip", phase.clip, Bound.positive],
    ["l1", phase.regularizer?.l1, Bound.fromZero],
    ["l2", phase.regularizer?.l2, Bound.fromZero],
    ["patience", phase.careful?.patience, patient],
    ["attempts", phase.careful?.attempts, Bound.counting],
    ["divisor", phase.careful?.divisor, dividing],
    ["every", phase.kind === "backpropagate" ? undefined : phase.cut.every, Bound.counting],
    ["λ", relaxing?.λ, Bound.fromZero],
    ...ofCurve(relaxing?.ramp),
    ...(relaxing?.auxiliaryOptimizer === undefined ? [] : ofRule(relaxing.auxiliaryOptimizer)),
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
