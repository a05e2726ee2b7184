/**
 * Operators that compute element by element.
 */
import { Primitives, Shape, Tensor } from "@rai/core"
import { DataType } from "../Model.ts"
import { type Call, filled, not, type Row, unary } from "./Call.ts"
import { Refused } from "./Refused.ts"
import type * as Value from "./Value.ts"

type T = Tensor.Tensor

const binary =
  (f: (a: T, b: T) => T): Row =>
  (call) =>
    f(call.float(0), call.float(1))

const logical =
  (f: (a: T, b: T) => T): Row =>
  (call) =>
    f(call.bool(0).float(), call.bool(1).float())

/** All operands, at least one. */
const every = (call: Call): ReadonlyArray<T> => [
  call.float(0),
  ...call.inputs.slice(1).map((_, i) => call.float(i + 1))
]

/** Rounds towards zero; from 2²³ on every float32 is an integer already. */
export const truncated = (x: T): T => {
  const whole = new Tensor.Tensor(Primitives.table.get("cast")!, [x], { to: "int" }).float()
  return filled(2 ** 23, x.shape)
    .greater(x.abs())
    .where(whole, x)
}

const floor = (x: T): T => {
  const whole = truncated(x)
  return whole.sub(whole.greater(x).float())
}

/** Rounds to the nearest integer, halves to even. */
const rounded = (x: T): T => {
  const above = floor(x.add(0.5))
  const isHalf = above.sub(x).equal(0.5).float()
  const isOdd = above.sub(floor(above.mul(0.5)).mul(2))
  return filled(2 ** 22, x.shape)
    .greater(x.abs())
    .where(above.sub(isHalf.mul(isOdd)), x)
}

const reciprocal = (x: T): T => Tensor.constant(1).broadcastTo(x.shape).div(x)

const whole = (x: T, n: number): T => {
  if (n === 0) return filled(1, x.shape)
  const half = whole(x, Math.floor(n / 2))
  return n === 1 ? x : n % 2 === 0 ? half.square() : half.square().mul(x)
}

/** xⁿ for one n, by repeated multiplication where n is a small integer. */
export const power = (x: T, n: number): T => {
  if (Number.isInteger(n) && Math.abs(n) <= 64) return n < 0 ? reciprocal(whole(x, -n)) : whole(x, n)
  if (n === 0.5) return x.sqrt()
  if (n === -0.5) return reciprocal(x.sqrt())
  return x.log().mul(n).exp()
}

/** aᵇ; NaN for a negative a unless b is an integer, and 1 wherever b is 0 or a is 1. */
const powers = (a: T, b: T): T => {
  const shape = Shape.broadcast(a.shape, b.shape) ?? a.shape
  const [base, exponent] = [a.broadcastTo(shape), b.broadcastTo(shape)]
  // Where exp(b log|a|) is 0 · ∞, aᵇ is 1; elsewhere it is left as it is, since its gradient may be wanted where it is 1, too.
  const hasLog = isFinite(base).mul(base.equal(0).float().neg().add(1))
  const isLimit = isFinite(exponent)
    .equal(1)
    .where(exponent.equal(0).float().mul(hasLog.neg().add(1)), base.abs().equal(1).float())
    .equal(1)
  const settled = (x: T): T => isLimit.where(filled(1, shape), x)
  const size = settled(exponent).mul(settled(base).abs().log()).exp()
  const isOdd = exponent
    .sub(floor(exponent.mul(0.5)).mul(2))
    .equal(1)
    .float()
  const isWhole = floor(exponent).equal(exponent)
  const isEndless = base.equal(Number.NEGATIVE_INFINITY)
  const signed = size.mul(isOdd.mul(-2).add(1))
  const negative = isWhole.where(signed, isEndless.where(size, filled(Number.NaN, shape)))
  return filled(0, shape).greater(base).where(negative, size)
}

/** 1 where a number is finite, else 0. */
const isFinite = (x: T): T => filled(Number.POSITIVE_INFINITY, x.shape).greater(x.abs()).float()

const pow: Row = (call) => {
  const [exponent, ...others] = call.known(1) ?? []
  const isOne = exponent !== undefined && others.length === 0 && call.rank(1) <= call.rank(0)
  return isOne ? power(call.float(0), exponent) : powers(call.float(0), call.float(1))
}

/** Kind that an element type is computed as; undefined for types that do not round as float32 and wide integers do, such as float16 and int8. */
const kindOf = (type: number): Value.Kind | undefined => {
  if (type === DataType.FLOAT || type === DataType.DOUBLE) return "float"
  if (type === DataType.INT32 || type === DataType.INT64) return "int"
  return type === DataType.BOOL ? "bool" : undefined
}

const cast = (call: Call, kind: Value.Kind | undefined) => {
  if (kind === undefined) throw new Refused("it casts to a type that is neither float, double, int32, int64 nor bool")
  if (kind === "bool") return call.bool()
  const x = call.float()
  return { kind, tensor: kind === "int" && call.kind() === "float" ? truncated(x) : x }
}

const divided: Row = (call) => {
  const [a, b] = [call.float(0), call.float(1)]
  return call.kind() === "int" && call.kind(1) === "int" ? truncated(a.div(b)) : a.div(b)
}

const modulo: Row = (call) => {
  const [a, b] = [call.float(0), call.float(1)]
  const isOfDividend = call.int("fmod", 0) === 1
  const times = isOfDividend ? truncated(a.div(b)) : floor(a.div(b))
  const finite = a.sub(times.mul(b))
  if (call.kind() === "int") return finite
  // With an infinite divisor the result is the dividend, unless it must take the divisor's sign and has the other: then it is the divisor. Of an
  // infinite dividend it is NaN.
  const isKept = isOfDividend ? filled(1, finite.shape) : a.mul(b.sign()).greater(0).float().add(a.equal(0).float())
  const endless = isKept.greater(0.5).where(a, b).add(a.mul(0))
  return b.abs().equal(Number.POSITIVE_INFINITY).where(endless, finite)
}

const infinite: Row = (call) => {
  const x = call.float()
  const found = (sign: number, name: string) =>
    call.int(name, 1) === 1 ? x.equal(sign * Number.POSITIVE_INFINITY).float() : x.zerosLike()
  return found(1, "detect_positive").add(found(-1, "detect_negative")).greater(0.5)
}

const shrink: Row = (call) => {
  const x = call.float()
  const [λ, bias] = [call.real("lambd", 0.5), call.real("bias", 0)]
  return x.greater(λ).where(x.sub(bias), filled(-λ, x.shape).greater(x).where(x.add(bias), x.zerosLike()))
}

export const rows: Readonly<Record<string, Row>> = {
  Abs: unary((x) => x.abs()),
  Neg: unary((x) => x.neg()),
  Sign: unary((x) => x.sign()),
  Sqrt: unary((x) => x.sqrt()),
  Exp: unary((x) => x.exp()),
  Log: unary((x) => x.log()),
  Reciprocal: unary(reciprocal),
  Floor: unary(floor),
  Ceil: unary((x) => floor(x.neg()).neg()),
  Round: unary(rounded),
  Sinh: unary((x) => x.exp().sub(x.neg().exp()).mul(0.5)),
  Cosh: unary((x) => x.exp().add(x.neg().exp()).mul(0.5)),
  Asinh: unary((x) => x.sign().mul(x.abs().add(x.square().add(1).sqrt()).log())),
  Acosh: unary((x) => x.add(x.square().sub(1).sqrt()).log()),
  Atanh: unary((x) => x.add(1).div(x.neg().add(1)).log().mul(0.5)),
  Shrink: shrink,
  Add: binary((a, b) => a.add(b)),
  Sub: binary((a, b) => a.sub(b)),
  Mul: binary((a, b) => a.mul(b)),
  Div: divided,
  Mod: modulo,
  Pow: pow,
  Max: (call) => every(call).reduce((a, b) => a.maximum(b)),
  Min: (call) => every(call).reduce((a, b) => a.minimum(b)),
  Sum: (call) => every(call).reduce((a, b) => a.add(b)),
  Mean: (call) =>
    every(call)
      .reduce((a, b) => a.add(b))
      .mul(1 / call.inputs.length),
  Equal: binary((a, b) => a.equal(b)),
  Greater: binary((a, b) => a.greater(b)),
  Less: binary((a, b) => b.greater(a)),
  GreaterOrEqual: binary((a, b) => either(a.greater(b), a.equal(b))),
  LessOrEqual: binary((a, b) => either(b.greater(a), a.equal(b))),
  And: logical((a, b) => a.mul(b).greater(0.5)),
  Or: logical((a, b) => a.add(b).greater(0.5)),
  Xor: logical((a, b) => a.add(b).equal(1)),
  Not: (call) => not(call.bool()),
  IsNaN: (call) => not(call.float().equal(call.float())),
  IsInf: infinite,
  Where: (call) => {
    const tensor = call.bool(0).where(call.float(1), call.float(2))
    return call.kind(1) === "bool" ? tensor.greater(0.5) : { tensor, kind: call.kind(1) }
  },
  Cast: (call) => cast(call, kindOf(call.int("to", 0))),
  CastLike: (call) => cast(call, call.kind(1)),
  Identity: (call) => call.tensor(),
  Dropout: (call) => {
    const isTraining = call.has(2) && call.number(2) !== 0
    const isSpared = call.has(1) && call.number(1) === 0
    if (isTraining && !isSpared) throw new Refused("it draws, as dropout does in training")
    const [, mask = ""] = call.outputs
    const x = call.tensor()
    return mask === "" ? x : [x, filled(1, x.shape).greater(0)]
  }
}

const either = (a: T, b: T): T => a.float().add(b.float()).greater(0.5)
