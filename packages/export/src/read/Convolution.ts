/**
 * Convolutions as matrix products of the filters with the patches under their windows.
 */
import { NdArray, Shape, type Tensor, Windows } from "@rai/core"
import type { Call, Row } from "./Call.ts"
import * as Channels from "./Channels.ts"
import { Refused } from "./Refused.ts"
import * as Sliding from "./Sliding.ts"
import * as Taking from "./Taking.ts"

type T = Tensor.Tensor

/** x: [batch, channels, …], W: [filters, channels / groups, …]; multiplies the patch of each window by the filters, group by group. */
const convolved = (x: T, W: T, windows: ReadonlyArray<Windows.Along>, groups: number): T => {
  const [batch, all] = x.shape as readonly [Shape.Dimension, number]
  const [filters, own, ...kernel] = W.shape as ReadonlyArray<number> as [number, number, ...Array<number>]
  if (own * groups !== all || filters % groups !== 0) {
    throw new Refused(`filters ${Shape.show(W.shape)} in ${groups} groups do not fit ${all} channels`, true)
  }
  const counts = windows.map(({ count }) => count)
  const n = NdArray.size(counts)
  const fanIn = own * NdArray.size(kernel)
  const patches = Sliding.patches(x, windows)
  const weight = W.reshape([1, groups, filters / groups, fanIn])
  if (groups === 1) {
    const rows = patches.reshape([batch, fanIn, n]).transpose([0, 2, 1])
    const y = rows.matMul(weight.reshape([filters, fanIn]).transpose([1, 0]))
    return y.transpose([0, 2, 1]).reshape([batch, filters, ...counts])
  }
  const y = weight.matMul(patches.reshape([batch, groups, fanIn, n]))
  return y.reshape([batch, filters, ...counts])
}

/** Lengths of the window, from the shape of the filters. */
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
  const y = convolved(call.float(0), call.float(1), Sliding.of(call, kernel), call.int("group", 1))
  return call.has(2) ? y.add(Channels.each(call.float(2), call.rank())) : y
}

/** Transposed convolution: inserts zeros between the positions, then convolves with the filters flipped. */
const convTranspose: Row = (call) => {
  const [x, W] = [call.float(0), call.float(1)]
  const groups = call.int("group", 1)
  const kernel = kernelOf(call)
  const [all, own] = W.shape as ReadonlyArray<number> as [number, number]
  const axes = kernel.length
  const { dilations, pads, strides } = Sliding.settings(call, axes)
  const more = Sliding.list(call, "output_padding", axes, 0)
  const asked = call.ints("output_shape")
  const auto = call.text("auto_pad", "NOTSET")
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
  const windows = kernel.map((length, i) => {
    const [n, stride] = [call.length(2 + i), strides[i]!]
    const window = { kernel: length, stride: 1, dilation: dilations[i]! }
    const reach = Windows.reach(window) - 1
    const full = (n - 1) * stride + 1 + reach + more[i]!
    const size = auto.startsWith("SAME") ? n * stride : asked?.slice(-axes)[i]
    const missing = size === undefined ? 0 : full - size
    const less = Math.floor(missing / 2)
    const before = size === undefined ? pads[i]! : auto === "SAME_UPPER" || asked === undefined ? less : missing - less
    const after = size === undefined ? pads[axes + i]! : missing - before
    const [front, back] = [reach - before, reach - after + more[i]!]
    if (front < 0 || back < 0) throw new Refused("its pads are longer than its window")
    return Windows.along((n - 1) * stride + 1, { ...window, before: front, after: back })
  })
  const y = convolved(spread, filters, windows, groups)
  return call.has(2) ? y.add(Channels.each(call.float(2), call.rank())) : y
}

export const rows: Readonly<Record<string, Row>> = { Conv: conv, ConvTranspose: convTranspose }
