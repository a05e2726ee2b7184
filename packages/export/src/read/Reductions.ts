/**
 * Operators along whole axes.
 */
import { NdArray, type Tensor } from "@rai/core"
import { type Call, int, type Row, settled } from "./Call.ts"
import { Refused } from "./Refused.ts"
import * as Taking from "./Taking.ts"

type T = Tensor.Tensor

/** A reduction over the axes that an attribute or operand names, or over all where none are named. */
const reduction =
  (f: (x: T, axes: ReadonlyArray<number>, call: Call) => T): Row =>
  (call) => {
    const x = call.float()
    const given = call.axes(1) ?? []
    if (given.length === 0 && call.int("noop_with_empty_axes", 0) === 1) return f(x, [], call)
    const axes = [...new Set(given.length === 0 ? x.shape.map((_, axis) => axis) : given)].sort((a, b) => a - b)
    const reduced = f(x, axes, call)
    if (call.int("keepdims", 1) === 1) return reduced
    return reduced.reshape(reduced.shape.filter((_, axis) => !axes.includes(axis)))
  }

/** Number of elements along axes; throws `Refused` where each run decides it. */
export const count = (x: T, axes: ReadonlyArray<number>): number =>
  axes.reduce((total, axis) => total * settled(x.shape[axis]!, "counts along"), 1)

export const mean = (x: T, axes: ReadonlyArray<number>): T => x.sum(axes).mul(1 / count(x, axes))

/** Largest number along axes where that is finite, else 0: what is subtracted before an exponential to avoid overflow. */
const shift = (x: T, axes: ReadonlyArray<number>): T => {
  const largest = x.max(axes)
  return largest.abs().equal(Number.POSITIVE_INFINITY).where(largest.zerosLike(), largest)
}

/** log Σ eˣ */
const logSumExp = (x: T, axes: ReadonlyArray<number>): T => {
  const largest = shift(x, axes)
  return x.sub(largest).exp().sum(axes).log().add(largest)
}

/** The product along axes, one factor after the other. */
const product = (x: T, axes: ReadonlyArray<number>): T =>
  axes.reduce((left, axis) => {
    const n = count(left, [axis])
    if (n > Taking.most) throw new Refused(`it multiplies ${n} numbers`)
    return Array.from({ length: n }, (_, i) => left.slice(axis, i, i + 1)).reduce((a, b) => a.mul(b))
  }, x)

const extreme =
  (largest: boolean): Row =>
  (call) => {
    const axis = call.axis(call.int("axis", 0))
    const x = largest ? call.float() : call.float().neg()
    const last = call.int("select_last_index", 0) === 1
    const n = call.length(axis)
    const found = (last ? Taking.reversed(x, axis) : x).argMax(axis).float()
    const index = last ? found.neg().add(n - 1) : found
    return int(call.int("keepdims", 1) === 1 ? index : index.reshape(index.shape.toSpliced(axis, 1)))
  }

/** Before operator set 13, `axis` and all axes after it count as one. */
const alongAxis =
  (f: (x: T, axes: ReadonlyArray<number>) => T): Row =>
  (call) => {
    const axis = call.axis(call.int("axis", call.opset < 13 ? 1 : -1))
    return f(call.float(), call.opset < 13 ? call.axesFrom(axis) : [axis])
  }

const hardmax: Row = (call) => {
  const axis = call.axis(call.int("axis", call.opset < 13 ? 1 : -1))
  if (call.opset < 13 && axis !== call.rank() - 1) throw new Refused("it takes several axes as one")
  const x = call.float()
  return Taking.lastTo(x.argMax(axis).float().reshape(x.shape.toSpliced(axis, 1)).oneHot(call.length(axis)), axis)
}

/** Running sums as a product with a triangular matrix of ones. */
const cumulative: Row = (call) => {
  const axis = call.axis(call.number(1))
  const n = call.length(axis)
  if (n > 1024) throw new Refused(`it sums along ${n} numbers`)
  const [exclusive, reverse] = [call.int("exclusive", 0) === 1, call.int("reverse", 0) === 1]
  const takesPart = (from: number, to: number) =>
    Number((reverse ? from > to : from < to) || (from === to && !exclusive))
  const numbers = Array.from({ length: n * n }, (_, i) => takesPart(Math.floor(i / n), i % n))
  const triangle = call.graph.embed(NdArray.make([n, n], numbers))
  const x = Taking.toLast(call.float(), axis)
  const rows = x.shape.length === 1 ? x.reshape([1, n]) : x
  return Taking.lastTo(rows.matMul(triangle).reshape(x.shape), axis)
}

export const rows: Readonly<Record<string, Row>> = {
  ReduceSum: reduction((x, axes) => x.sum(axes)),
  ReduceMean: reduction(mean),
  ReduceMax: reduction((x, axes) => x.max(axes)),
  ReduceMin: reduction((x, axes) => x.neg().max(axes).neg()),
  ReduceProd: reduction(product),
  ReduceL1: reduction((x, axes) => x.abs().sum(axes)),
  ReduceL2: reduction((x, axes) => x.square().sum(axes).sqrt()),
  ReduceSumSquare: reduction((x, axes) => x.square().sum(axes)),
  ReduceLogSum: reduction((x, axes) => x.sum(axes).log()),
  ReduceLogSumExp: reduction(logSumExp),
  ArgMax: extreme(true),
  ArgMin: extreme(false),
  Softmax: alongAxis((x, axes) => x.softmax(axes)),
  LogSoftmax: alongAxis((x, axes) => x.logSoftmax(axes)),
  Hardmax: hardmax,
  CumSum: cumulative
}
