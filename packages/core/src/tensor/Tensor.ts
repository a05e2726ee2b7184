/**
 * Formulas as on paper: `z.sub(ẑ).square().mean()`. A tensor is a node of the program that the formula builds; it holds no numbers.
 */
import type { DType } from "./DType.ts"
import type { Attributes, Primitive } from "./Primitive.ts"
import * as Composites from "./primitives/Composites.ts"
import * as Contraction from "./primitives/Contraction.ts"
import * as Elementwise from "./primitives/Elementwise.ts"
import * as Indexing from "./primitives/Indexing.ts"
import * as Leaf from "./primitives/Leaf.ts"
import * as Movement from "./primitives/Movement.ts"
import * as Reduction from "./primitives/Reduction.ts"
import * as Shape from "./Shape.ts"
import { ShapeMismatch } from "./ShapeMismatch.ts"

/**
 * One value of a program: a primitive applied to operands. Methods throw `ShapeMismatch` where shapes do not fit, and nothing else; `Program.make`
 * turns it into a typed error.
 */
export class Tensor {
  readonly primitive: Primitive
  readonly operands: ReadonlyArray<Tensor>
  readonly attributes: Attributes
  readonly shape: Shape.Shape
  readonly dtype: DType

  constructor(primitive: Primitive, operands: ReadonlyArray<Tensor>, attributes: Attributes = {}) {
    this.primitive = primitive
    this.operands = operands
    this.attributes = attributes
    checkTypes(primitive, operands)
    this.shape = primitive.shape(operands, attributes)
    this.dtype = primitive.dtype?.(operands, attributes) ?? "float"
  }

  // Elementwise; the other operand may be a number, and either one may broadcast (NumPy's rule).
  neg(): Tensor {
    return unary(Elementwise.neg, this)
  }
  abs(): Tensor {
    return unary(Elementwise.abs, this)
  }
  sign(): Tensor {
    return unary(Elementwise.sign, this)
  }
  square(): Tensor {
    return unary(Elementwise.square, this)
  }
  sqrt(): Tensor {
    return unary(Elementwise.sqrt, this)
  }
  exp(): Tensor {
    return unary(Elementwise.exp, this)
  }
  log(): Tensor {
    return unary(Elementwise.log, this)
  }
  sigmoid(): Tensor {
    return unary(Elementwise.sigmoid, this)
  }
  tanh(): Tensor {
    return unary(Elementwise.tanh, this)
  }
  relu(): Tensor {
    return unary(Elementwise.relu, this)
  }
  softplus(): Tensor {
    return unary(Elementwise.softplus, this)
  }
  elu(): Tensor {
    return unary(Elementwise.elu, this)
  }
  leakyRelu(slope: number): Tensor {
    return new Tensor(Composites.leakyRelu, [this], { slope })
  }
  erf(): Tensor {
    return unary(Elementwise.erf, this)
  }
  clip(minimum: number, maximum: number): Tensor {
    return new Tensor(Elementwise.clip, [this], { minimum, maximum })
  }
  add(other: Tensor | number): Tensor {
    return binary(Elementwise.add, this, other)
  }
  sub(other: Tensor | number): Tensor {
    return binary(Elementwise.sub, this, other)
  }
  mul(other: Tensor | number): Tensor {
    return binary(Elementwise.mul, this, other)
  }
  div(other: Tensor | number): Tensor {
    return binary(Elementwise.div, this, other)
  }
  maximum(other: Tensor | number): Tensor {
    return binary(Elementwise.maximum, this, other)
  }
  minimum(other: Tensor | number): Tensor {
    return binary(Elementwise.minimum, this, other)
  }
  greater(other: Tensor | number): Tensor {
    return binary(Elementwise.greater, this, other)
  }
  equal(other: Tensor | number): Tensor {
    return binary(Elementwise.equal, this, other)
  }
  /** For a condition: `yes` where it holds, `no` elsewhere. */
  where(yes: Tensor, no: Tensor): Tensor {
    const shape = common("where", this.shape, common("where", yes.shape, no.shape))
    return new Tensor(
      Elementwise.where,
      [this, yes, no].map((operand) => operand.broadcastTo(shape))
    )
  }
  /** True as 1, false as 0. */
  float(): Tensor {
    return this.dtype === "float" ? this : new Tensor(Elementwise.cast, [this], { to: "float" })
  }
  zerosLike(): Tensor {
    return constant(0).broadcastTo(this.shape)
  }

  // Fused derivatives; `this` is the gradient of y.
  sigmoidGradient(y: Tensor): Tensor {
    return new Tensor(Composites.sigmoidGradient, [this, y])
  }
  tanhGradient(y: Tensor): Tensor {
    return new Tensor(Composites.tanhGradient, [this, y])
  }
  eluGradient(y: Tensor): Tensor {
    return new Tensor(Composites.eluGradient, [this, y])
  }
  reluGradient(y: Tensor): Tensor {
    return new Tensor(Composites.reluGradient, [this, y])
  }

  // Reductions; the reduced axes are kept, with length 1.
  sum(axes: ReadonlyArray<number>): Tensor {
    return axes.length === 0 ? this : new Tensor(Reduction.sum, [this], { axes })
  }
  max(axes: ReadonlyArray<number>): Tensor {
    return axes.length === 0 ? this : new Tensor(Reduction.max, [this], { axes })
  }
  argMax(axis: number): Tensor {
    return new Tensor(Reduction.argMax, [this], { axes: [axis] })
  }
  /** One-hot vectors along a new last axis: 1 at the position that each number gives among `classes`, 0 elsewhere. */
  oneHot(classes: number): Tensor {
    return new Tensor(Indexing.oneHot, [this], { classes })
  }
  /** e^x / Σ e^x over the axes; the maximum is subtracted first, so that nothing overflows. */
  softmax(axes: ReadonlyArray<number>): Tensor {
    const e = this.sub(this.max(axes)).exp()
    return e.div(e.sum(axes))
  }
  /** The logarithm of `softmax`, x − log Σ e^x. */
  logSoftmax(axes: ReadonlyArray<number>): Tensor {
    const shifted = this.sub(this.max(axes))
    return shifted.sub(shifted.exp().sum(axes).log())
  }
  /** The mean over all elements, a scalar; every dimension must be known. */
  mean(): Tensor {
    const { known, named } = Shape.count(this.shape)
    if (named.length > 0) {
      const advice = "a named axis has no length yet: count it, as in z.total().div(z.zerosLike().add(1).total())"
      const [expected, came] = ["known dimensions", Shape.show(this.shape)]
      throw new ShapeMismatch({ operation: "mean", expected, came, advice })
    }
    return this.total().mul(1 / known)
  }
  /** The sum over all elements, a scalar. */
  total(): Tensor {
    return this.sum(this.shape.map((_, axis) => axis)).reshape([])
  }

  // Movement.
  reshape(to: Shape.Shape): Tensor {
    return Shape.equals(to, this.shape) ? this : new Tensor(Movement.reshape, [this], { to })
  }
  transpose(permutation: ReadonlyArray<number>): Tensor {
    return new Tensor(Movement.transpose, [this], { permutation })
  }
  broadcastTo(to: Shape.Shape): Tensor {
    return Shape.equals(to, this.shape) ? this : new Tensor(Movement.broadcast, [this], { to })
  }
  /** this[start … end) along `axis`. */
  slice(axis: number, start: number, end: number): Tensor {
    return start === 0 && end === this.shape[axis] ? this : new Tensor(Movement.slice, [this], { axis, start, end })
  }
  pad(axis: number, before: number, after: number): Tensor {
    return before === 0 && after === 0 ? this : new Tensor(Movement.pad, [this], { axis, before, after })
  }
  /** this[index] along `axis`, which is dropped. */
  at(axis: number, index: number): Tensor {
    return this.slice(axis, index, index + 1).reshape(this.shape.toSpliced(axis, 1))
  }

  /** The matrix product over the last two axes; the leading axes broadcast, so one matrix may serve for all. */
  matMul(other: Tensor, options: { readonly transposeA?: boolean; readonly transposeB?: boolean } = {}): Tensor {
    const { transposeA = false, transposeB = false } = options
    const leading = Shape.broadcast(this.shape.slice(0, -2), other.shape.slice(0, -2))
    const operands = leading === undefined ? [this, other] : [matrices(this, leading), matrices(other, leading)]
    return new Tensor(Contraction.matMul, operands, { transposeA, transposeB })
  }
}

/** A value given to each run under `name`. */
export const input = (name: string, shape: Shape.Shape, dtype: DType = "float"): Tensor =>
  new Tensor(Leaf.input, [], { name, shape, dtype })

/** A constant number. */
export const constant = (value: number): Tensor => new Tensor(Leaf.constant, [], { value, shape: [], dtype: "float" })

/** Concatenates the operands along `axis`. */
export const concat = (operands: ReadonlyArray<Tensor>, axis: number): Tensor =>
  operands.length === 1 ? operands[0]! : new Tensor(Movement.concat, operands, { axis })

/** Stacks the operands along a new leading axis. */
export const stack = (operands: ReadonlyArray<Tensor>): Tensor =>
  concat(
    operands.map((operand) => operand.reshape([1, ...operand.shape])),
    0
  )

/** Broadcasts the matrices of `x` over the leading axes. */
const matrices = (x: Tensor, leading: Shape.Shape): Tensor => {
  if (x.shape.length < 2) return x
  const ones = Array<number>(leading.length + 2 - x.shape.length).fill(1)
  return x.reshape([...ones, ...x.shape]).broadcastTo([...leading, ...x.shape.slice(-2)])
}

const types: Readonly<Record<DType, string>> = { float: "real numbers", int: "whole numbers", bool: "truth values" }

const checkTypes = ({ name, takes }: Primitive, operands: ReadonlyArray<Tensor>): void => {
  for (const [i, { dtype }] of operands.entries()) {
    const expected = takes === "same" ? operands[0]!.dtype : (takes?.[i] ?? "float")
    if (dtype === expected) continue
    const advice =
      takes === "same"
        ? "bring both to one type, as with .float()"
        : expected === "bool"
          ? "compare, as in x.greater(0)"
          : "end it in .float()"
    throw new ShapeMismatch({ operation: name, expected: types[expected], came: types[dtype], advice })
  }
}

const unary = (primitive: Primitive, x: Tensor): Tensor => new Tensor(primitive, [x])

const common = (operation: string, a: Shape.Shape, b: Shape.Shape): Shape.Shape => {
  const shape = Shape.broadcast(a, b)
  if (shape !== undefined) return shape
  throw new ShapeMismatch({ operation, expected: `a shape that fits ${Shape.show(a)}`, came: Shape.show(b) })
}

// Broadcasting is made explicit here, so that every derivative sees operands of equal shape.
const binary = (primitive: Primitive, a: Tensor, b: Tensor | number): Tensor => {
  if (Number.isNaN(b)) {
    // Most often 1 / Number(z.shape[0]) where the number of examples is still open, as in the free run.
    const advice = "a named axis has no length yet: count it, as in z.zerosLike().add(1).sum([0])"
    throw new ShapeMismatch({ operation: primitive.name, expected: "a number", came: "NaN", advice })
  }
  const other = typeof b === "number" ? constant(b) : b
  const shape = common(primitive.name, a.shape, other.shape)
  return new Tensor(primitive, [a.broadcastTo(shape), other.broadcastTo(shape)])
}
