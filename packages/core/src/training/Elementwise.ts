/**
 * Which rules move each number by itself, whatever array it stands in, so that arrays may be moved as one.
 */
import { Record } from "effect"
import type { Arrays } from "../engine/Engine.ts"
import type { Optimizer } from "../optimization/Optimizer.ts"
import * as AnyShape from "../program/AnyShape.ts"
import { input, type Tensor } from "../tensor/Tensor.ts"

/**
 * Whether a rule says that it is elementwise, and its formulas bear it out: a rule made of another, `{...Rprop.make(0.1), update}`, keeps the word of
 * that one with an update of its own, and may look at a whole array.
 */
export const holds = (rule: Optimizer): boolean => {
  if (rule.elementwise !== true) return false
  try {
    // As arrays are that were put together, and as they are by themselves: a bias, a map, the maps of a repeated block, a convolution.
    const joined = traced(rule, [1000])
    return [[5], [2, 3], [2, 3, 4], [2, 3, 4, 5]].every((shape) => isAlike(traced(rule, shape), joined))
  } catch {
    // An update that cannot take these shapes is no elementwise one; what is wrong with it is said where a step is built.
    return false
  }
}

const isAlike = (one: Traced, joined: Traced): boolean => {
  const startAlike = Object.entries(one.slots).every(([slot, { data }]) =>
    [...data, ...joined.slots[slot]!.data].every((value) => value === data[0])
  )
  const moveAlike = Object.entries(one.formulas).every(
    ([name, formula]) => !AnyShape.namesAxes(formula) && AnyShape.isSame(formula, joined.formulas[name]!)
  )
  return startAlike && moveAlike
}

/** The slots of an array before the first step, and the formulas of one step. */
interface Traced {
  readonly slots: Arrays
  readonly formulas: Readonly<Record<string, Tensor>>
}

const traced = ({ initial, rate, update }: Optimizer, shape: ReadonlyArray<number>): Traced => {
  const slots = initial(shape, rate)
  const given = Record.map(slots, (slot, name) => input(`slot/${name}`, slot.shape))
  const next = update(input("parameter", shape), input("gradient", shape), given, input("rate", []))
  return { slots, formulas: { ...next.slots, "the parameter": next.parameter } }
}
