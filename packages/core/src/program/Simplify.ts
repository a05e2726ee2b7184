/**
 * Simplifies a program: equal parts are computed once, neutral operations removed, dead parts never built.
 */
import * as Shape from "../tensor/Shape.ts"
import { constant, type Tensor } from "../tensor/Tensor.ts"
import type * as Program from "./Program.ts"
import * as Rewrite from "./Rewrite.ts"

/** Every output keeps its values. */
export const simplify = (program: Program.Program): Program.Program => {
  const numbers = new Map<Tensor, number>()
  const known = new Map<string, Tensor>()
  /** The one node that represents all nodes equal to this one; operands that a rule has just made are interned too. */
  const intern = (node: Tensor): Tensor => {
    if (numbers.has(node)) return node
    const own = Rewrite.rebuild(node, node.operands.map(intern))
    const operands = own.operands.map((operand) => numbers.get(operand))
    const key = [own.primitive.name, ...operands, written(own)].join()
    const twin = known.get(key)
    if (twin !== undefined) return twin
    known.set(key, own)
    numbers.set(own, numbers.size)
    return own
  }
  return Rewrite.rewrite(program, (node, operands) => intern(neutral(Rewrite.rebuild(node, operands))))
}

/** A node's attributes as text that differs wherever they do: plain JSON writes NaN and both infinities alike, and drops the sign of zero. */
export const written = (node: Tensor): string =>
  JSON.stringify(node.attributes, (_, value) =>
    typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))
      ? `${Object.is(value, -0) ? "-0" : value}`
      : value
  )

/** The number that a tensor is filled with, if it is constant throughout. */
export const filledWith = (node: Tensor): number | undefined => {
  if (node.primitive.name === "constant") return node.attributes.value as number
  const passes = node.primitive.name === "broadcast" || node.primitive.name === "reshape"
  return passes ? filledWith(node.operands[0]!) : undefined
}

/** Returns x and c if the node is x · c with c constant throughout. */
const scaled = (node: Tensor): { readonly x: Tensor; readonly by: number } | undefined => {
  const [a, b] = node.operands
  if (node.primitive.name === "neg") return { x: a!, by: -1 }
  if (node.primitive.name !== "mul") return undefined
  const [left, right] = [filledWith(a!), filledWith(b!)]
  if (right !== undefined) return { x: a!, by: right }
  return left === undefined ? undefined : { x: b!, by: left }
}

const times = (x: Tensor, by: number): Tensor => (by === 1 ? x : by === -1 ? x.neg() : x.mul(constant(by)))

const isNegative = ({ primitive }: Tensor): boolean => primitive.name === "neg"

/** Rewrites (c · x) · s, s a single number broadcast, as x · (c · s): a product of numbers instead of one of arrays. */
const gathered = (x: Tensor, s: Tensor): Tensor | undefined => {
  const inner = scaled(x)
  const [one] = s.operands
  const isNumber = s.primitive.name === "broadcast" && one!.shape.every((n) => n === 1)
  return inner === undefined || !isNumber ? undefined : inner.x.mul(times(one!, inner.by).broadcastTo(s.shape))
}

/** Number of elements, if known. */
const size = (shape: Shape.Shape): number | undefined => {
  const { known, named } = Shape.count(shape)
  return named.length === 0 ? known : undefined
}

/** The tensor that x is a reshape of, or x itself. */
export const unreshaped = (x: Tensor): Tensor => (x.primitive.name === "reshape" ? unreshaped(x.operands[0]!) : x)

const reshaped = (x: Tensor, to: Shape.Shape): Tensor => unreshaped(x).reshape(to)

/** Rewrites two transpositions as one; none where it leaves the axes in order. */
const transposed = (x: Tensor, permutation: ReadonlyArray<number>): Tensor => {
  if (permutation.every((axis, i) => axis === i)) return x
  if (x.primitive.name !== "transpose") return x.transpose(permutation)
  const inner = x.attributes.permutation as ReadonlyArray<number>
  return transposed(
    x.operands[0]!,
    permutation.map((axis) => inner[axis]!)
  )
}

/** Whether a shape is that of the last two axes of a broadcast, with 1 along the axes before. */
const isMatrixOf = (one: Shape.Shape, whole: Shape.Shape): boolean =>
  one.length >= 2 && one.slice(0, -2).every((n) => n === 1) && Shape.equals(one.slice(-2), whole.slice(-2))

/** The matrix of an operand that is the same for every example. */
const matrixOf = ({ operands, primitive, shape }: Tensor): Tensor | undefined => {
  const [one] = operands
  const isMatrix = primitive.name === "broadcast" && isMatrixOf(one!.shape, shape)
  return isMatrix ? reshaped(one!, one!.shape.slice(-2)) : undefined
}

/** Rewrites a W per example, with W the same matrix for all, as one product over all rows. */
const flattened = ({ attributes, operands, shape }: Tensor): Tensor | undefined => {
  const [a, b] = operands as readonly [Tensor, Tensor]
  const W = shape.length > 2 && attributes.transposeA === false ? matrixOf(b) : undefined
  const rows = size(shape.slice(0, -1))
  if (W === undefined || rows === undefined) return undefined
  return reshaped(a, [rows, a.shape.at(-1)!])
    .matMul(W, { transposeB: attributes.transposeB === true })
    .reshape(shape)
}

/** Rewrites Σ over all examples of aᵀ b as one product over all rows. */
const tall = ({ attributes, operands, shape }: Tensor): Tensor | undefined => {
  const [products] = operands
  const [a, b] = products!.operands
  const leading = shape.length - 2
  const isOver =
    (attributes.axes as ReadonlyArray<number>).join() === Array.from({ length: leading }, (_, i) => i).join()
  const flags = products!.attributes
  if (!isOver || leading === 0 || products!.primitive.name !== "matMul" || flags.transposeA !== true) return undefined
  const rows = size(a!.shape.slice(0, -1))
  if (flags.transposeB === true || rows === undefined) return undefined
  const [left, right] = [a!, b!].map((x) => reshaped(x, [rows, x.shape.at(-1)!]))
  return left!.matMul(right!, { transposeA: true }).reshape(shape)
}

const neutral = (node: Tensor): Tensor => {
  const [a, b] = node.operands
  const outer = scaled(node)
  const number = outer === undefined ? undefined : filledWith(outer.x)
  if (outer !== undefined && number !== undefined) return constant(number * outer.by).broadcastTo(node.shape)
  const inner = outer === undefined ? undefined : scaled(outer.x)
  if (outer !== undefined && inner !== undefined) return times(inner.x, inner.by * outer.by)
  switch (node.primitive.name) {
    case "mul":
      return outer === undefined ? (gathered(a!, b!) ?? gathered(b!, a!) ?? node) : times(outer.x, outer.by)
    case "add":
      if (filledWith(b!) === 0) return a!
      if (filledWith(a!) === 0) return b!
      return isNegative(b!) ? a!.sub(b!.operands[0]!) : isNegative(a!) ? b!.sub(a!.operands[0]!) : node
    case "sub":
      return filledWith(b!) === 0 ? a! : isNegative(b!) ? a!.add(b!.operands[0]!) : node
    case "div":
      return filledWith(b!) === 1 ? a! : node
    case "matMul":
      return flattened(node) ?? node
    case "sum":
      return tall(node) ?? node
    case "reshape":
      return reshaped(a!, node.shape)
    case "transpose":
      return transposed(a!, node.attributes.permutation as ReadonlyArray<number>)
    default:
      return node
  }
}
