/**
 * Sliding windows as ONNX describes them: strides, dilations, padding on either side, rounding up.
 */
import { NdArray, type Tensor, Windows } from "@rai/core"
import type { Call } from "./Call.ts"
import { Refused } from "./Refused.ts"
import * as Taking from "./Taking.ts"

/** An attribute of one number for each axis, or of `length` numbers. */
export const list = (
  call: Call,
  name: string,
  axes: number,
  otherwise: number,
  length = axes
): ReadonlyArray<number> => {
  const given = call.ints(name) ?? Array<number>(length).fill(otherwise)
  if (given.length !== length) throw new Refused(`${name} holds ${given.length} numbers for ${axes} axes`, true)
  return given
}

/** The settings of a window along each of `axes` axes; the pads before all axes precede those after them. */
export const settings = (call: Call, axes: number) => ({
  strides: list(call, "strides", axes, 1),
  dilations: list(call, "dilations", axes, 1),
  pads: list(call, "pads", axes, 0, 2 * axes)
})

/** Windows of an operator, one per axis after the channels. */
export const of = (call: Call, kernel: ReadonlyArray<number>): ReadonlyArray<Windows.Along> => {
  const axes = call.rank() - 2
  if (axes < 1 || kernel.length !== axes) throw new Refused(`its window has ${kernel.length} axes for ${axes}`, true)
  const { dilations, pads, strides } = settings(call, axes)
  const auto = call.text("auto_pad", "NOTSET")
  const rounding = call.int("ceil_mode", 0) === 1
  return kernel.map((length, i) => {
    const n = call.length(2 + i)
    const window = { kernel: length, stride: strides[i]!, dilation: dilations[i]! }
    const { dilation, stride } = window
    if (!(length >= 1 && stride >= 1 && dilation >= 1)) throw new Refused("its window has no length", true)
    if (auto.startsWith("SAME")) {
      const count = Math.ceil(n / stride)
      const missing = Math.max(0, Windows.span({ ...window, before: 0, after: 0, count }) - n)
      const less = Math.floor(missing / 2)
      const before = auto === "SAME_UPPER" ? less : missing - less
      return { ...window, before, after: missing - before, count }
    }
    const [before, after] = auto === "VALID" ? [0, 0] : [pads[i]!, pads[axes + i]!]
    // Rounded up, a last window that is not whole counts too, unless it begins in the padding at the end.
    const all = Windows.along(n, { ...window, before, after: rounding ? after + stride - 1 : after }).count
    const count = (all - 1) * stride >= n + before && all > 1 ? all - 1 : all
    if (before < 0 || after < 0) throw new Refused("its pads are negative")
    if (count < 1) throw new Refused(`axis ${2 + i} is ${n} long, shorter than its window`, true)
    return { ...window, before, after, count }
  })
}

/** Throws `Refused` where a window has more places than a formula should. */
const bounded = (windows: ReadonlyArray<Windows.Along>): ReadonlyArray<Windows.Along> => {
  const all = NdArray.size(windows.map(({ kernel }) => kernel))
  if (all > Taking.most) throw new Refused(`its window has ${all} places`)
  return windows
}

/** For each place in the window, row by row, what lies there in all windows; padding is filled with `value`. */
export const places = (x: Tensor.Tensor, windows: ReadonlyArray<Windows.Along>, value: number) =>
  Windows.places(x, bounded(windows), value)

/** The windows as columns: [batch, channels, places in a window, all windows]. */
export const patches = (x: Tensor.Tensor, windows: ReadonlyArray<Windows.Along>) => Windows.patches(x, bounded(windows))
