/**
 * Operators of neural networks: products, convolutions, pooling, normalisation.
 */
import { Shape, Tensor } from "@rai/core"
import { type Call, filled, product, type Row } from "./Call.ts"
import { power } from "./Elementwise.ts"
import { mean } from "./Reductions.ts"
import { Refused } from "./Refused.ts"
import * as Taking from "./Taking.ts"
import * as Windows from "./Windows.ts"

type T = Tensor.Tensor

/** The product as NumPy defines it, where vectors stand for a row or a column. */
export const matMul = (a: T, b: T): T => {
  const left = a.shape.length === 1 ? a.reshape([1, ...a.shape]) : a
  const right = b.shape.length === 1 ? b.reshape([...b.shape, 1]) : b
  const y = left.matMul(right)
  const rows = a.shape.length === 1 ? [] : [y.shape.at(-2)!]
  const columns = b.shape.length === 1 ? [] : [y.shape.at(-1)!]
  return y.reshape([...y.shape.slice(0, -2), ...rows, ...columns])
}

const gemm: Row = (call) => {
  const [a, b] = [call.float(0), call.float(1)]
  const transposes = { transposeA: call.int("transA", 0) !== 0, transposeB: call.int("transB", 0) !== 0 }
  const [α, β] = [call.real("alpha", 1), call.real("beta", 1)]
  const y = times(a.matMul(b, transposes), α)
  return call.has(2) && β !== 0 ? y.add(times(call.float(2), β)) : y
}

const times = (x: T, factor: number): T => (factor === 1 ? x : x.mul(factor))

/** v: [channels] → [1, channels, 1, …], for a tensor of `rank` axes. */
const channels = (v: T, rank: number): T => {
  if (v.shape.length !== 1 || rank < 2) throw new Refused(`${Shape.show(v.shape)} is not one number a channel`, true)
  return v.reshape([1, v.shape[0]!, ...Array<number>(rank - 2).fill(1)])
}

/** x: [batch, channels, …], W: [filters, channels / groups, …]: patches of each window times the filters, group by group. */
const convolved = (x: T, W: T, windows: ReadonlyArray<Windows.Along>, groups: number): T => {
  const [batch, all] = x.shape as readonly [Shape.Dimension, number]
  const [filters, own, ...kernel] = W.shape as ReadonlyArray<number> as [number, number, ...Array<number>]
  if (own * groups !== all || filters % groups !== 0) {
    throw new Refused(`filters ${Shape.show(W.shape)} in ${groups} groups do not fit ${all} channels`, true)
  }
  const area = kernel.reduce((a, b) => a * b, 1)
  const counts = windows.map(({ count }) => count)
  const n = counts.reduce((a, b) => a * b, 1)
  const fanIn = own * area
  const patches = Tensor.concat(
    Windows.places(x, windows, 0).map((place) => place.reshape([batch, all, 1, n])),
    2
  )
  const weight = W.reshape([1, groups, filters / groups, fanIn])
  if (groups === 1) {
    const rows = patches.reshape([batch, fanIn, n]).transpose([0, 2, 1])
    const y = rows.matMul(weight.reshape([filters, fanIn]).transpose([1, 0]))
    return y.transpose([0, 2, 1]).reshape([batch, filters, ...counts])
  }
  const y = weight.matMul(patches.reshape([batch, groups, fanIn, n]))
  return y.reshape([batch, filters, ...counts])
}

/** The window's lengths, as the filters have them. */
const kernelOf = (call: Call): ReadonlyArray<number> => {
  const fits = call.rank() >= 3 && call.rank(1) === call.rank()
  if (!fits) throw new Refused(`filters ${Shape.show(call.shape(1))} do not fit ${Shape.show(call.shape())}`, true)
  return call
    .shape(1)
    .map((_, axis) => call.length(axis, 1))
    .slice(2)
}

const conv: Row = (call) => {
  const kernel = kernelOf(call)
  const y = convolved(call.float(0), call.float(1), Windows.of(call, kernel), call.int("group", 1))
  return call.has(2) ? y.add(channels(call.float(2), call.rank())) : y
}

/** The transposed convolution: zeros between the places, then a convolution with the filters turned round. */
const convTranspose: Row = (call) => {
  const [x, W] = [call.float(0), call.float(1)]
  const groups = call.int("group", 1)
  const kernel = kernelOf(call)
  const [all, own] = W.shape as ReadonlyArray<number> as [number, number]
  const axes = kernel.length
  const list = (name: string, otherwise: number, length = axes) =>
    call.ints(name) ?? Array<number>(length).fill(otherwise)
  const [strides, dilations, more] = [list("strides", 1), list("dilations", 1), list("output_padding", 0)]
  const asked = call.ints("output_shape")
  const auto = call.text("auto_pad", "NOTSET")
  const pads = list("pads", 0, 2 * axes)
  const turned = kernel.reduce<T>((of, _, i) => Taking.reversed(of, 2 + i), W)
  const filters = turned
    .reshape([groups, all / groups, own, ...kernel])
    .transpose([0, 2, 1, ...kernel.map((_, i) => 3 + i)])
    .reshape([groups * own, all / groups, ...kernel])
  const spread = kernel.reduce<T>((of, _, i) => {
    const [axis, stride] = [2 + i, strides[i]!]
    const n = call.length(axis)
    const parted = of.reshape(of.shape.toSpliced(axis + 1, 0, 1)).pad(axis + 1, 0, stride - 1)
    return parted.reshape(of.shape.with(axis, n * stride)).slice(axis, 0, (n - 1) * stride + 1)
  }, x)
  const windows = kernel.map((length, i): Windows.Along => {
    const [n, stride, dilation] = [call.length(2 + i), strides[i]!, dilations[i]!]
    const reach = (length - 1) * dilation
    const full = (n - 1) * stride + reach + 1
    const size = auto.startsWith("SAME") ? n * stride : asked?.slice(-axes)[i]
    const missing = size === undefined ? 0 : full + more[i]! - size
    const less = Math.floor(missing / 2)
    const before = size === undefined ? pads[i]! : auto === "SAME_UPPER" || asked === undefined ? less : missing - less
    const after = size === undefined ? pads[axes + i]! : missing - before
    const places = full - before - after + more[i]!
    const [front, back] = [reach - before, reach - after + more[i]!]
    if (front < 0 || back < 0) throw new Refused("its pads are longer than its window")
    return { kernel: length, stride: 1, dilation, before: front, after: back, count: places }
  })
  const y = convolved(spread, filters, windows, groups)
  return call.has(2) ? y.add(channels(call.float(2), call.rank())) : y
}

const windowsOf = (call: Call): ReadonlyArray<Windows.Along> => Windows.of(call, call.ints("kernel_shape") ?? [])

const maxPool: Row = (call) => {
  if ((call.outputs[1] ?? "") !== "") throw new Refused("its indices are used")
  return Windows.places(call.float(), windowsOf(call), Number.NEGATIVE_INFINITY).reduce((a, b) => a.maximum(b))
}

const averagePool: Row = (call) => {
  const x = call.float()
  const windows = windowsOf(call)
  const sum = (of: T) => Windows.places(of, windows, 0).reduce((a, b) => a.add(b))
  const whole = windows.every(({ after, before, count, dilation, kernel, stride }, i) => {
    const needed = (count - 1) * stride + (kernel - 1) * dilation + 1
    return before === 0 && after === 0 && needed <= call.length(2 + i)
  })
  if (whole) return sum(x).mul(1 / windows.reduce((area, { kernel }) => area * kernel, 1))
  const includes = call.int("count_include_pad", 0) === 1
  // Padding that is asked for may count; what rounding up adds behind never does.
  const ones = windows.reduce<T>(
    (of, { after, before }, i) => Taking.padded(of, 2 + i, before, after, Number(includes)),
    filled(1, [1, 1, ...call.shape().slice(2)])
  )
  const uncovered = windows.map((along) => ({ ...along, before: 0, after: 0 }))
  return sum(x).div(Windows.places(ones, uncovered, 0).reduce((a, b) => a.add(b)))
}

const lpPool: Row = (call) => {
  const p = call.int("p", 2)
  if (!(p >= 1)) throw new Refused(`its p is ${p}`, true)
  const powers = power(call.float().abs(), p)
  const all = Windows.places(powers, windowsOf(call), 0).reduce((a, b) => a.add(b))
  return power(all, 1 / p)
}

const behindChannels = (call: Call): ReadonlyArray<number> =>
  call.shape().flatMap((_, axis) => (axis >= 2 ? [axis] : []))

const batchNormalization: Row = (call) => {
  if (call.int("training_mode", 0) === 1 || (call.outputs[1] ?? "") !== "") {
    throw new Refused("it normalises by the batch, as in training")
  }
  const [x, rank] = [call.float(0), Math.max(2, call.rank())]
  const [scale, bias, μ, variance] = [1, 2, 3, 4].map((i) => channels(call.float(i), rank))
  const ε = call.real("epsilon", 1e-5)
  return x
    .sub(μ!)
    .mul(scale!.div(variance!.add(ε).sqrt()))
    .add(bias!)
}

/** (x − μ) / √(σ² + ε) over axes, with μ and 1 / √(σ² + ε). */
const standardised = (x: T, axes: ReadonlyArray<number>, ε: number) => {
  const μ = mean(x, axes)
  const centred = x.sub(μ)
  const inverse = filled(1, μ.shape).div(mean(centred.square(), axes).add(ε).sqrt())
  return { y: centred.mul(inverse), mean: μ, inverse }
}

const from = (call: Call, axis: number): ReadonlyArray<number> => call.shape().flatMap((_, i) => (i >= axis ? [i] : []))

const layerNormalization: Row = (call) => {
  const axes = from(call, call.axis(call.int("axis", -1)))
  const { inverse, mean: μ, y } = standardised(call.float(), axes, call.real("epsilon", 1e-5))
  const scaled = y.mul(call.float(1))
  return [call.has(2) ? scaled.add(call.float(2)) : scaled, μ, inverse]
}

const rmsNormalization: Row = (call) => {
  const x = call.float()
  const axes = from(call, call.axis(call.int("axis", -1)))
  return x.div(mean(x.square(), axes).add(call.real("epsilon", 1e-5)).sqrt()).mul(call.float(1))
}

const instanceNormalization: Row = (call) => {
  const { y } = standardised(call.float(), behindChannels(call), call.real("epsilon", 1e-5))
  return y.mul(channels(call.float(1), call.rank())).add(channels(call.float(2), call.rank()))
}

const groupNormalization: Row = (call) => {
  const [x, groups] = [call.float(), call.int("num_groups", 1)]
  const [batch, all] = [x.shape[0]!, call.length(1)]
  const rest = behindChannels(call).map((axis) => call.length(axis))
  const size = rest.reduce((a, b) => a * b, all / groups)
  const { y } = standardised(x.reshape([batch, groups, size]), [2], call.real("epsilon", 1e-5))
  const own = [call.float(1), call.float(2)].map((v) => {
    // Before operator set 21 there is one number a group.
    const each =
      v.shape[0] === all
        ? v
        : v
            .reshape([groups, 1])
            .broadcastTo([groups, all / groups])
            .reshape([all])
    return channels(each, call.rank())
  })
  return y.reshape(x.shape).mul(own[0]!).add(own[1]!)
}

const meanVarianceNormalization: Row = (call) => {
  const axes = (call.ints("axes") ?? [0, 2, 3]).map((axis) => call.axis(axis))
  const x = call.float()
  const centred = x.sub(mean(x, axes))
  return centred.div(mean(centred.square(), axes).sqrt().add(1e-9))
}

const lpNormalization: Row = (call) => {
  const [x, p, axis] = [call.float(), call.int("p", 2), call.axis(call.int("axis", -1))]
  if (p !== 1 && p !== 2) throw new Refused(`its p is ${p}`)
  const norm = p === 1 ? x.abs().sum([axis]) : x.square().sum([axis]).sqrt()
  const isZero = norm.equal(0)
  return x.div(isZero.where(filled(1, norm.shape), norm))
}

/** x / (bias + α / size Σ x²)^β over neighbouring channels. */
const localResponse: Row = (call) => {
  const [x, size] = [call.float(), call.int("size", 1)]
  const n = call.length(1)
  if (!(size >= 1 && size <= 64)) throw new Refused(`it looks at ${size} channels`)
  const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)]
  const squares = x.square().pad(1, before, after)
  const near = Array.from({ length: size }, (_, i) => squares.slice(1, i, i + n)).reduce((a, b) => a.add(b))
  const base = near.mul(call.real("alpha", 1e-4) / size).add(call.real("bias", 1))
  return x.div(base.log().mul(call.real("beta", 0.75)).exp())
}

/** One or two operands, each axis once in each: sums, transpositions and products of matrices. */
const einsum: Row = (call) => {
  const [left = "", right = ""] = call.text("equation", "").replaceAll(" ", "").split("->")
  const terms = left.split(",").map((term) => [...term])
  const result = [...right]
  const plain = [...terms, result].every((term) => new Set(term).size === term.length && !term.includes("."))
  if (!plain || !call.text("equation", "").includes("->") || terms.length > 2 || terms.length !== call.inputs.length) {
    throw new Refused("its equation is more than a product of two operands with each axis once")
  }
  const lengths = new Map(terms.flatMap((term, i) => term.map((name, axis) => [name, call.shape(i)[axis]!] as const)))
  /** Without the axes that nobody else names. */
  const [a, b] = terms.map((term, i) => {
    const other = terms[1 - i] ?? []
    const gone = term.flatMap((name, axis) => (result.includes(name) || other.includes(name) ? [] : [axis]))
    const kept = term.filter((_, axis) => !gone.includes(axis))
    return {
      names: kept,
      x: call
        .float(i)
        .sum(gone)
        .reshape(kept.map((name) => lengths.get(name)!))
    }
  })
  const ordered = ({ names, x }: { names: ReadonlyArray<string>; x: T }, to: ReadonlyArray<string>) =>
    names.join() === to.join() ? x : x.transpose(to.map((name) => names.indexOf(name)))
  if (b === undefined) return ordered(a!, result)
  const both = a!.names.filter((name) => b.names.includes(name))
  const shared = both.filter((name) => result.includes(name))
  const summed = both.filter((name) => !result.includes(name))
  const [rows, columns] = [a!, b].map(({ names }) => names.filter((name) => !both.includes(name)))
  const shapeOf = (names: ReadonlyArray<string>) => names.map((name) => lengths.get(name)!)
  const size = (names: ReadonlyArray<string>) => product(shapeOf(names))
  const A = ordered(a!, [...shared, ...rows!, ...summed]).reshape([...shapeOf(shared), size(rows!), size(summed)])
  const B = ordered(b, [...shared, ...summed, ...columns!]).reshape([...shapeOf(shared), size(summed), size(columns!)])
  const names = [...shared, ...rows!, ...columns!]
  return ordered({ names, x: A.matMul(B).reshape(shapeOf(names)) }, result)
}

export const rows: Readonly<Record<string, Row>> = {
  MatMul: (call) => matMul(call.float(0), call.float(1)),
  Gemm: gemm,
  Einsum: einsum,
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: maxPool,
  AveragePool: averagePool,
  LpPool: lpPool,
  GlobalAveragePool: (call) => mean(call.float(), behindChannels(call)),
  GlobalMaxPool: (call) => call.float().max(behindChannels(call)),
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  RMSNormalization: rmsNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
  LpNormalization: lpNormalization,
  LRN: localResponse
}
