/**
 * Examples with identical inputs.
 */
import * as Dataset from "./Dataset.ts"

/** How many examples repeat others, and what that costs. */
export interface Repeats {
  /** Number of examples with the inputs of an earlier one. */
  readonly repeats: number
  /** Number of occurrences of the most frequent point. */
  readonly most: number
  /** Number of points that occur with more than one target. */
  readonly conflicts: number
  /**
   * The best that any function of the inputs can reach: the accuracy of answering each point with its most frequent class; for `regression` the
   * mean squared error of answering it with its mean target.
   */
  readonly best: number
}

/** Finds the repeats in a data set: points are the same where all of their numbers are equal. */
export const of = (data: Dataset.Dataset): Repeats => {
  const labels = Dataset.labels(data)
  const groups = new Map<number, Array<number>>() // only of points that occur more than once
  for (const [example, first] of firsts(data).entries()) {
    if (first === example) continue
    const group = groups.get(first)
    if (group === undefined) groups.set(first, [first, example])
    else group.push(example)
  }
  let repeats = 0
  let most = 1
  let conflicts = 0
  let error = 0
  for (const members of groups.values()) {
    repeats += members.length - 1
    most = Math.max(most, members.length)
    const least = data.task === "regression" ? spread(data.targets, members) : minority(labels, members)
    if (least > 0) conflicts++
    error += least
  }
  const best = data.task === "regression" ? error / data.targets.data.length : 1 - error / labels.length
  return { repeats, most, conflicts, best }
}

/** Maps each example to the first with the same inputs: a hash table of examples with open addressing, in memory linear in examples. */
const firsts = ({ inputs }: Dataset.Dataset): Int32Array => {
  const [examples = 0, features = 0] = inputs.shape
  const { data } = inputs
  const mask = 2 ** Math.ceil(Math.log2(2 * examples)) - 1
  const slots = new Int32Array(mask + 1).fill(-1)
  const value = new Float64Array(1)
  const bits = new Int32Array(value.buffer)
  const hash = (example: number) => {
    let mixed = 0
    for (let i = example * features; i < (example + 1) * features; i++) {
      value[0] = data[i]! + 0 // −0 equals 0
      mixed = Math.imul(mixed ^ bits[0]!, 0x85ebca6b)
      mixed = Math.imul(mixed ^ (mixed >>> 15) ^ bits[1]!, 0xc2b2ae35)
      mixed ^= mixed >>> 13
    }
    return mixed & mask
  }
  const equal = (a: number, b: number) => {
    for (let i = 0; i < features; i++) if (data[a * features + i] !== data[b * features + i]) return false
    return true
  }
  return Int32Array.from({ length: examples }, (_, example) => {
    let slot = hash(example)
    while (slots[slot]! >= 0 && !equal(slots[slot]!, example)) slot = (slot + 1) & mask
    if (slots[slot]! < 0) slots[slot] = example
    return slots[slot]!
  })
}

/** Number of members that are not of their most frequent class. */
const minority = (labels: Int32Array, members: ReadonlyArray<number>): number => {
  const counts = new Map<number, number>()
  for (const member of members) counts.set(labels[member]!, (counts.get(labels[member]!) ?? 0) + 1)
  return members.length - Math.max(...counts.values())
}

/** Sum of the members' squared distances from their mean target, exactly 0 where all targets are equal. */
const spread = ({ shape, data }: Dataset.Dataset["targets"], members: ReadonlyArray<number>): number => {
  const width = shape[1]!
  let sum = 0
  for (let output = 0; output < width; output++) {
    const values = members.map((member) => data[member * width + output]!)
    if (values.every((value) => value === values[0])) continue
    const mean = values.reduce((total, value) => total + value, 0) / values.length
    for (const value of values) sum += (value - mean) ** 2
  }
  return sum
}
