/**
 * Elementwise operations: y_i = f(a_i), or f(a_i, b_i) for operands of equal shape.
 */
import type { Primitive, Signature } from "../Primitive.ts"
import * as Shape from "../Shape.ts"
import { ShapeMismatch } from "../ShapeMismatch.ts"
import type { Tensor } from "../Tensor.ts"

const same =
  (operation: string) =>
  (operands: ReadonlyArray<Signature>): Shape.Shape => {
    const [first, ...rest] = operands
    for (const other of rest) {
      if (!Shape.equals(first!.shape, other.shape)) {
        throw new ShapeMismatch({ operation, expected: Shape.show(first!.shape), came: Shape.show(other.shape) })
      }
    }
    return first!.shape
  }

const operand = (y: Tensor, i = 0): Tensor => y.operands[i]!

const unary = (
  name: string,
  cost: number,
  derivative: (g: Tensor, x: Tensor, y: Tensor) => Tensor | undefined,
  tolerance = 1e-6
): Primitive => ({
  name,
  shape: same(name),
  derivative: (g, y) => [derivative(g, operand(y), y)],
  cost,
  tolerance
})

const binary = (
  name: string,
  cost: number,
  derivative: (g: Tensor, a: Tensor, b: Tensor, y: Tensor) => ReadonlyArray<Tensor | undefined>
): Primitive => ({
  name,
  shape: same(name),
  derivative: (g, y) => derivative(g, operand(y), operand(y, 1), y),
  cost,
  tolerance: 1e-6
})

const comparison = (name: string): Primitive => ({
  ...binary(name, 1, () => [undefined, undefined]),
  takes: "same",
  dtype: () => "bool",
  tolerance: 0
})

/** The gradient's share of the operand `chosen`: all of it where it is greater than `other`, half where both are equal. */
const share = (g: Tensor, chosen: Tensor, other: Tensor): Tensor =>
  g.mul(chosen.greater(other).float().add(chosen.equal(other).float().mul(0.5)))

export const neg = unary("neg", 1, (g) => g.neg())
export const abs = unary("abs", 1, (g, x) => g.mul(x.sign()))
export const sign = unary("sign", 1, () => undefined)
export const square = unary("square", 1, (g, x) => g.mul(x.mul(2)))
export const sqrt = unary("sqrt", 4, (g, _, y) => g.div(y.mul(2)))
export const exp = unary("exp", 8, (g, _, y) => g.mul(y))
export const log = unary("log", 8, (g, x) => g.div(x))
export const sigmoid = unary("sigmoid", 10, (g, _, y) => g.sigmoidGradient(y))
export const tanh = unary("tanh", 10, (g, _, y) => g.tanhGradient(y))
export const relu = unary("relu", 1, (g, _, y) => g.reluGradient(y))
export const softplus = unary("softplus", 16, (g, x) => g.mul(x.sigmoid()))
export const elu = unary("elu", 9, (g, _, y) => g.eluGradient(y))
export const erf = unary("erf", 20, (g, x) =>
  g.mul(
    x
      .square()
      .neg()
      .exp()
      .mul(2 / Math.sqrt(Math.PI))
  )
)

/** Limits x to [minimum, maximum]; the gradient passes where x lies within, bounds included. */
export const clip = unary("clip", 2, (g, x, y) => g.mul(x.equal(y).float()))

export const add = binary("add", 1, (g) => [g, g])
export const sub = binary("sub", 1, (g) => [g, g.neg()])
export const mul = binary("mul", 1, (g, a, b) => [g.mul(b), g.mul(a)])
export const div = binary("div", 1, (g, _, b, y) => [g.div(b), g.mul(y).div(b).neg()])
export const maximum = binary("maximum", 1, (g, a, b) => [share(g, a, b), share(g, b, a)])
export const minimum = binary("minimum", 1, (g, a, b) => [share(g, b, a), share(g, a, b)])
export const greater = comparison("greater")
export const equal = comparison("equal")

/** condition ? a : b */
export const where: Primitive = {
  name: "where",
  shape: same("where"),
  takes: ["bool", "float", "float"],
  derivative: (g, y) => [undefined, operand(y).where(g, g.zerosLike()), operand(y).where(g.zerosLike(), g)],
  cost: 1,
  tolerance: 0
}

/** The same values as another type: true is 1, false is 0. */
export const cast: Primitive = {
  name: "cast",
  shape: ([x]) => x!.shape,
  takes: "same",
  dtype: (_, { to }) => to as "float" | "int" | "bool",
  derivative: (g, y) => [operand(y).dtype === "float" ? g : undefined],
  cost: 1,
  tolerance: 0
}
