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
  // 1 above 0, −1 below, 0 at 0, and NaN where x is.
  sign: ([x], number) => [
    ...x!,
    ...[...number(1), ...x!, ...number(0), ...floats.greater, ...Wasm.and],
    ...[...number(-1), ...x!, ...number(0), ...floats.less, ...Wasm.and],
    ...floats.add,
    ...[...x!, ...x!, ...floats.unequal],
    ...Wasm.select
  ],
  cast: ([condition], number) => [...number(1), ...condition!, ...Wasm.and]
}

/** Whether a pass can compute the node, its operands being there. */
export const knows = ({ attributes, operands, primitive }: Tensor.Tensor): boolean =>
  primitive.name === "cast"
    ? attributes.to === "float" && operands[0]!.dtype === "bool"
    : Object.hasOwn(rules, primitive.name)

/**
 * The pass as a function of the memory: (from, to, addresses of arrays, of numbers, of results), from and to in bytes of each array, multiples of
 * 16. A result may lie where an array does: each place is read before it is written.
 */
export const compile = ({ arrays, nodes, numbers, results }: Kernel): Wasm.Function => {
  const parameters = 2 + arrays.length + numbers.length + results.length
  const place = parameters
  const address = (parameter: number): Wasm.Code => [...Wasm.get(parameter), ...Wasm.get(place), ...Wasm.plus]
  const locals = new Map([...arrays, ...numbers, ...nodes].map((node, i) => [node, parameters + 1 + i]))
  // Known numbers are set up once, not in every turn.
  const known = new Map<number, number>()
  const number = (value: number): Wasm.Code => {
    const local = known.get(value) ?? parameters + 1 + locals.size + known.size
    known.set(value, local)
    return Wasm.get(local)
  }
  const value = (node: Tensor.Tensor): Wasm.Code => {
    const local = locals.get(node)
    if (local !== undefined) return Wasm.get(local)
    const constant = Simplify.filledWith(node)
    // What is no constant and not computed here is one number for all places.
    return constant === undefined ? value(node.operands[0]!) : number(constant)
  }
  const keep = (node: Tensor.Tensor, code: Wasm.Code): Wasm.Code => [...code, ...Wasm.set(locals.get(node)!)]
  const turns = Wasm.repeat([
    ...arrays.flatMap((node, i) => keep(node, [...address(2 + i), ...Wasm.load])),
    ...nodes.flatMap((node) => keep(node, rules[node.primitive.name]!(node.operands.map(value), number, node))),
    ...results.flatMap((node, i) => [
      ...address(2 + arrays.length + numbers.length + i),
      ...value(node),
      ...Wasm.store
    ]),
    ...[...Wasm.get(place), ...Wasm.integer(16), ...Wasm.plus, ...Wasm.set(place)],
    ...[...Wasm.get(place), ...Wasm.get(1), ...Wasm.below]
  ])
  const body = [
    ...[...Wasm.get(0), ...Wasm.set(place)],
    ...numbers.flatMap((node, i) => keep(node, [...Wasm.get(2 + arrays.length + i), ...Wasm.loadOne])),
    ...[...known].flatMap(([value, local]) => [...Wasm.all(value), ...Wasm.set(local)]),
    ...turns
  ]
  return { parameters, vectors: locals.size + known.size, body }
}
