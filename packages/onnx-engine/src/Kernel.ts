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

type Rule = (operands: ReadonlyArray<Wasm.Code>, node: Tensor.Tensor) => Wasm.Code

const { floats } = Wasm

const plain =
  (operation: Wasm.Code): Rule =>
  (operands) => [...operands.flat(), ...operation]

const masked = (value: number, mask: Wasm.Code): Wasm.Code => [...Wasm.all(value), ...mask, ...Wasm.and]

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
  maximum: plain(floats.max),
  minimum: plain(floats.min),
  greater: plain(floats.greater),
  equal: plain(floats.equal),
  where: ([condition, yes, no]) => [...yes!, ...no!, ...condition!, ...Wasm.select],
  clip: ([x], { attributes }) => [
    ...x!,
    ...Wasm.all(attributes.minimum as number),
    ...floats.max,
    ...Wasm.all(attributes.maximum as number),
    ...floats.min
  ],
  // 1 above 0, −1 below, 0 at 0, and NaN where x is.
  sign: ([x]) => [
    ...x!,
    ...masked(1, [...x!, ...Wasm.all(0), ...floats.greater]),
    ...masked(-1, [...x!, ...Wasm.all(0), ...floats.less]),
    ...floats.add,
    ...[...x!, ...x!, ...floats.unequal],
    ...Wasm.select
  ],
  cast: ([condition]) => masked(1, condition!)
}

/** Whether a pass can compute the node, its operands being there. */
export const knows = ({ attributes, operands, primitive }: Tensor.Tensor): boolean =>
  primitive.name === "cast"
    ? attributes.to === "float" && operands[0]!.dtype === "bool"
    : Object.hasOwn(rules, primitive.name)

/**
 * The pass as a function of the memory: (bytes, addresses of arrays, of numbers, of results). Arrays end at a multiple of 16 bytes. A result
 * may lie where an array does: each place is read before it is written.
 */
export const compile = ({ arrays, nodes, numbers, results }: Kernel): Wasm.Function => {
  const parameters = 1 + arrays.length + numbers.length + results.length
  const place = parameters
  const address = (parameter: number): Wasm.Code => [...Wasm.get(parameter), ...Wasm.get(place), ...Wasm.plus]
  const locals = new Map([...arrays, ...numbers, ...nodes].map((node, i) => [node, parameters + 1 + i]))
  const value = (node: Tensor.Tensor): Wasm.Code => {
    const local = locals.get(node)
    if (local !== undefined) return Wasm.get(local)
    const constant = Simplify.filledWith(node)
    // What is no constant and not computed here is one number for all places.
    return constant === undefined ? value(node.operands[0]!) : Wasm.all(constant)
  }
  const keep = (node: Tensor.Tensor, code: Wasm.Code): Wasm.Code => [...code, ...Wasm.set(locals.get(node)!)]
  const body = [
    ...numbers.flatMap((node, i) => keep(node, [...Wasm.get(1 + arrays.length + i), ...Wasm.loadOne])),
    ...Wasm.repeat([
      ...arrays.flatMap((node, i) => keep(node, [...address(1 + i), ...Wasm.load])),
      ...nodes.flatMap((node) => keep(node, rules[node.primitive.name]!(node.operands.map(value), node))),
      ...results.flatMap((node, i) => [
        ...address(1 + arrays.length + numbers.length + i),
        ...value(node),
        ...Wasm.store
      ]),
      ...[...Wasm.get(place), ...Wasm.integer(16), ...Wasm.plus, ...Wasm.set(place)],
      ...[...Wasm.get(place), ...Wasm.get(0), ...Wasm.below]
    ])
  ]
  return { parameters, vectors: locals.size, body }
}
