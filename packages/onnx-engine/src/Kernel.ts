/**
 * Elementwise parts of a program as one pass over memory: every operand is read once and every result written once, four floats at a time. An
 * optimiser's rule is such a part; as a dozen separate operations it would pass over millions of numbers a dozen times.
 */
import { Simplify, type Tensor } from "@rai/core"
import * as Wasm from "./Wasm.ts"

/** A pass: arrays of one size to read, scalars to read, and arrays to write. */
export interface Kernel {
  readonly size: number
  readonly arrays: ReadonlyArray<Tensor.Tensor>
  readonly numbers: ReadonlyArray<Tensor.Tensor>
  readonly results: ReadonlyArray<Tensor.Tensor>
  /** All nodes that the pass computes, operands before results. */
  readonly nodes: ReadonlyArray<Tensor.Tensor>
}

/** Returns a node's code from that of its operands; `number` gives a constant in all four lanes. */
type Rule = (operands: ReadonlyArray<Wasm.Code>, number: (value: number) => Wasm.Code, node: Tensor.Tensor) => Wasm.Code

const { floats } = Wasm

const plain =
  (operation: Wasm.Code): Rule =>
  (operands) => [...operands.flat(), ...operation]

/** The larger or smaller of two; where one is a known number, the faster instruction will do. */
const bounded =
  (either: Wasm.Code, quicker: Wasm.Code): Rule =>
  ([a, b], _, { operands }) => {
    const [left, right] = operands.map((operand) => !Number.isNaN(Simplify.filledWith(operand) ?? Number.NaN))
    if (right) return [...a!, ...b!, ...quicker]
    return left ? [...b!, ...a!, ...quicker] : [...a!, ...b!, ...either]
  }

/** Code of each primitive that a pass can compute. */
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
  // Scaled up until even the smallest number exceeds 1, then clipped to ±1: 0 stays 0, and NaN stays NaN.
  sign: ([x], number) => [
    ...[...x!, ...number(2 ** 126), ...floats.mul, ...number(2 ** 24), ...floats.mul],
    ...[...number(1), ...floats.lower, ...number(-1), ...floats.higher]
  ],
  cast: ([condition], number) => [...number(1), ...condition!, ...Wasm.and]
}

/** Whether a pass can compute the node, given its operands. */
export const knows = ({ attributes, operands, primitive }: Tensor.Tensor): boolean =>
  primitive.name === "cast"
    ? attributes.to === "float" && operands[0]!.dtype === "bool"
    : Object.hasOwn(rules, primitive.name)

/** Addresses of a pass's arrays and scalars; undefined for arrays whose address differs between calls. */
export interface Addresses {
  readonly read: ReadonlyArray<number | undefined>
  readonly numbers: ReadonlyArray<number>
  readonly written: ReadonlyArray<number>
}

/**
 * Compiles the pass to a function (from, to) in bytes of each array, multiples of 16, followed by the addresses of those arrays whose address
 * differs between calls. A result may be written over an array: each element is read before it is written. Other addresses are encoded in the
 * instructions, since a function takes at most 1,000 parameters and a pass may have more arrays.
 */
export const compile = ({ arrays, nodes, numbers, results }: Kernel, addresses: Addresses): Wasm.Function => {
  // The function's locals by number: its parameters, the offset in bytes that it has reached in each array, a vector for each array, scalar and
  // node, and one for each constant.
  const [from, to, at] = [0, 1, 2]
  const elsewhere = [...addresses.read.keys()].filter((i) => addresses.read[i] === undefined)
  const offset = at + elsewhere.length
  const locals = new Map([...arrays, ...numbers, ...nodes].map((node, i) => [node, offset + 1 + i]))
  // Constants are set up once, not in every iteration; a map would treat −0 as 0.
  const known: Array<number> = []
  const number = (value: number): Wasm.Code => {
    const found = known.findIndex((other) => Object.is(other, value))
    if (found < 0) known.push(value)
    return Wasm.get(offset + 1 + locals.size + (found < 0 ? known.length - 1 : found))
  }
  const value = (node: Tensor.Tensor): Wasm.Code => {
    const local = locals.get(node)
    if (local !== undefined) return Wasm.get(local)
    const constant = Simplify.filledWith(node)
    // Anything neither constant nor computed here is a broadcast scalar.
    return constant === undefined ? value(node.operands[0]!) : number(constant)
  }
  const keep = (node: Tensor.Tensor, code: Wasm.Code): Wasm.Code => [...code, ...Wasm.set(locals.get(node)!)]
  const load = (i: number): Wasm.Code => {
    const address = addresses.read[i]
    return address === undefined
      ? [...Wasm.get(offset), ...Wasm.get(at + elsewhere.indexOf(i)), ...Wasm.plus, ...Wasm.load(0)]
      : [...Wasm.get(offset), ...Wasm.load(address)]
  }
  const turns = Wasm.repeat([
    ...arrays.flatMap((node, i) => keep(node, load(i))),
    ...nodes.flatMap((node) => keep(node, rules[node.primitive.name]!(node.operands.map(value), number, node))),
    ...results.flatMap((node, i) => [...Wasm.get(offset), ...value(node), ...Wasm.store(addresses.written[i]!)]),
    ...[...Wasm.get(offset), ...Wasm.integer(16), ...Wasm.plus, ...Wasm.set(offset)],
    ...[...Wasm.get(offset), ...Wasm.get(to), ...Wasm.below]
  ])
  const body = [
    ...[...Wasm.get(from), ...Wasm.set(offset)],
    ...numbers.flatMap((node, i) => keep(node, [...Wasm.integer(0), ...Wasm.loadOne(addresses.numbers[i]!)])),
    ...known.flatMap((value, i) => [...Wasm.all(value), ...Wasm.set(offset + 1 + locals.size + i)]),
    ...turns
  ]
  return { parameters: offset, vectors: locals.size + known.length, body }
}
