/**
 * Elementwise parts of a program as one pass over memory: every operand is read once and every result written once, four floats at a time.
 * An optimiser's rule is such a part; written as a dozen operations it would pass over millions of numbers a dozen times.
 */
import { Simplify, type Tensor } from "@rai/core"
import * as Wasm from "./Wasm.ts"

/** A pass: arrays of one size that are read, single numbers that are read, and arrays that are written. */
export interface Kernel {
  readonly size: number
  readonly arrays: ReadonlyArray<Tensor.Tensor>
  readonly numbers: ReadonlyArray<Tensor.Tensor>
  readonly results: ReadonlyArray<Tensor.Tensor>
  /** What is computed on the way, operands before results. */
  readonly nodes: ReadonlyArray<Tensor.Tensor>
}

/** From the code of the operands; `number` gives one that is known, four times. */
type Rule = (operands: ReadonlyArray<Wasm.Code>, number: (value: number) => Wasm.Code, node: Tensor.Tensor) => Wasm.Code

const { floats } = Wasm

const plain =
  (operation: Wasm.Code): Rule =>
  (operands) => [...operands.flat(), ...operation]

/** The larger or the smaller of two: of which one is a number that is known, the quicker instruction does. */
const bounded =
  (either: Wasm.Code, quicker: Wasm.Code): Rule =>
  ([a, b], _, { operands }) => {
    const [left, right] = operands.map((operand) => !Number.isNaN(Simplify.filledWith(operand) ?? Number.NaN))
    if (right) return [...a!, ...b!, ...quicker]
    return left ? [...b!, ...a!, ...quicker] : [...a!, ...b!, ...either]
  }

/** Each primitive that a pass can hold. */
const rules: Readonly<Record<string, Rule>> = {
  neg: plain(floats.neg),
  abs: plain(floats.abs),
  sqrt: plain(floats.sqrt),
  square: ([x]) => [...x!, ...x!, ...floats.mul],
  add: plain(floats.add),
  sub: plain(floats.sub),
  mul: plain(floats.mul),
  div: plain(floats.div),
  maximum: bounded(floats.max, floats.higher),
  minimum: bounded(floats.min, floats.lower),
  greater: plain(floats.greater),
  equal: plain(floats.equal),
  where: ([condition, yes, no]) => [...yes!, ...no!, ...condition!, ...Wasm.select],
  clip: ([x], number, { attributes: { maximum, minimum } }) => [
    ...[...x!, ...number(minimum as number), ...floats.higher],
    ...[...number(maximum as number), ...floats.lower]
  ],
  // So far up that the smallest number lies above 1, then back to 1: 0 stays 0, and NaN is NaN.
  sign: ([x], number) => [
    ...[...x!, ...number(2 ** 126), ...floats.mul, ...number(2 ** 24), ...floats.mul],
    ...[...number(1), ...floats.lower, ...number(-1), ...floats.higher]
  ],
  cast: ([condition], number) => [...number(1), ...condition!, ...Wasm.and]
}

/** Whether a pass can compute the node, its operands being there. */
export const knows = ({ attributes, operands, primitive }: Tensor.Tensor): boolean =>
  primitive.name === "cast"
    ? attributes.to === "float" && operands[0]!.dtype === "bool"
    : Object.hasOwn(rules, primitive.name)

/** Where the arrays of a pass begin in the memory, and where its single numbers are; of what lies elsewhere each time nothing is known here. */
export interface Places {
  readonly read: ReadonlyArray<number | undefined>
  readonly numbers: ReadonlyArray<number>
  readonly written: ReadonlyArray<number>
}

/**
 * The pass as a function of the memory: (from, to), in bytes of each array, multiples of 16, then where those begin that lie elsewhere each time. A
 * result may lie where an array does: each place is read before it is written. Other addresses are part of the instructions, for a function may have
 * 1,000 parameters and a pass more arrays.
 */
export const compile = ({ arrays, nodes, numbers, results }: Kernel, places: Places): Wasm.Function => {
  const [from, to, at] = [0, 1, 2]
  const elsewhere = [...places.read.keys()].filter((i) => places.read[i] === undefined)
  const place = at + elsewhere.length
  const locals = new Map([...arrays, ...numbers, ...nodes].map((node, i) => [node, place + 1 + i]))
  // Known numbers are set up once, not in every turn; a map would take −0 for 0.
  const known: Array<number> = []
  const number = (value: number): Wasm.Code => {
    const found = known.findIndex((other) => Object.is(other, value))
    if (found < 0) known.push(value)
    return Wasm.get(place + 1 + locals.size + (found < 0 ? known.length - 1 : found))
  }
  const value = (node: Tensor.Tensor): Wasm.Code => {
    const local = locals.get(node)
    if (local !== undefined) return Wasm.get(local)
    const constant = Simplify.filledWith(node)
    // What is no constant and not computed here is one number for all places.
    return constant === undefined ? value(node.operands[0]!) : number(constant)
  }
  const keep = (node: Tensor.Tensor, code: Wasm.Code): Wasm.Code => [...code, ...Wasm.set(locals.get(node)!)]
  const load = (i: number): Wasm.Code => {
    const address = places.read[i]
    return address === undefined
      ? [...Wasm.get(place), ...Wasm.get(at + elsewhere.indexOf(i)), ...Wasm.plus, ...Wasm.load(0)]
      : [...Wasm.get(place), ...Wasm.load(address)]
  }
  const turns = Wasm.repeat([
    ...arrays.flatMap((node, i) => keep(node, load(i))),
    ...nodes.flatMap((node) => keep(node, rules[node.primitive.name]!(node.operands.map(value), number, node))),
    ...results.flatMap((node, i) => [...Wasm.get(place), ...value(node), ...Wasm.store(places.written[i]!)]),
    ...[...Wasm.get(place), ...Wasm.integer(16), ...Wasm.plus, ...Wasm.set(place)],
    ...[...Wasm.get(place), ...Wasm.get(to), ...Wasm.below]
  ])
  const body = [
    ...[...Wasm.get(from), ...Wasm.set(place)],
    ...numbers.flatMap((node, i) => keep(node, [...Wasm.integer(0), ...Wasm.loadOne(places.numbers[i]!)])),
    ...known.flatMap((value, i) => [...Wasm.all(value), ...Wasm.set(place + 1 + locals.size + i)]),
    ...turns
  ]
  return { parameters: place, vectors: locals.size + known.length, body }
}
