/**
 * Windows that slide over signals, images and volumes, as ONNX describes them: strides, dilations, padding on either side, rounding up.
 */
import type { Tensor } from "@rai/core"
import type { Call } from "./Call.ts"
import { Refused } from "./Refused.ts"
import * as Taking from "./Taking.ts"

/** A window along one axis: its length, stride, dilation and the padding on either side. */
export interface Along {
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
  readonly before: number
  readonly after: number
  /** Number of windows. */
  readonly count: number
}

/** Windows of an operator, one per axis after the channels. */
export const of = (call: Call, kernel: ReadonlyArray<number>): ReadonlyArray<Along> => {
  const axes = call.rank() - 2
  const list = (name: string, otherwise: number, length = axes): ReadonlyArray<number> => {
    const given = call.ints(name) ?? Array<number>(length).fill(otherwise)
    if (given.length !== length) throw new Refused(`${name} holds ${given.length} numbers for ${axes} axes`, true)
    return given
  }
  if (axes < 1 || kernel.length !== axes) throw new Refused(`its window has ${kernel.length} axes for ${axes}`, true)
  const [strides, dilations, pads] = [list("strides", 1), list("dilations", 1), list("pads", 0, 2 * axes)]
  const auto = call.text("auto_pad", "NOTSET")
  const round = call.int("ceil_mode", 0) === 1 ? Math.ceil : Math.floor
  return kernel.map((length, i) => {
    const [n, stride, dilation] = [call.length(2 + i), strides[i]!, dilations[i]!]
    const reach = (length - 1) * dilation + 1
    if (!(length >= 1 && stride >= 1 && dilation >= 1)) throw new Refused("its window has no length", true)
    if (auto.startsWith("SAME")) {
      const count = Math.ceil(n / stride)
      const missing = Math.max(0, (count - 1) * stride + reach - n)
      const less = Math.floor(missing / 2)
      const before = auto === "SAME_UPPER" ? less : missing - less
      return { kernel: length, stride, dilation, before, after: missing - before, count }
    }
    const [before, after] = auto === "VALID" ? [0, 0] : [pads[i]!, pads[axes + i]!]
    const all = round((n + before + after - reach) / stride) + 1
    // Rounding up adds no window that begins in the padding at the end.
    const count = (all - 1) * stride >= n + before && all > 1 ? all - 1 : all
    if (before < 0 || after < 0) throw new Refused("its pads are negative")
    if (count < 1) throw new Refused(`axis ${2 + i} is ${n} long, shorter than its window`, true)
    return { kernel: length, stride, dilation, before, after, count }
  })
}

/** For each position in the window, row by row, what lies there in all windows; padding is filled with `value`. */
export const places = (
  x: Tensor.Tensor,
  windows: ReadonlyArray<Along>,
  value: number
): ReadonlyArray<Tensor.Tensor> => {
  const all = windows.reduce((product, { kernel }) => product * kernel, 1)
  if (all > Taking.most) throw new Refused(`its window has ${all} places`)
  return windows.reduce<ReadonlyArray<Tensor.Tensor>>(
    (of, { after, before, count, dilation, kernel, stride }, i) =>
      of.flatMap((tensor) => {
        const axis = 2 + i
        const n = tensor.shape[axis] as number
        const needed = (count - 1) * stride + (kernel - 1) * dilation + 1
        const whole = Taking.padded(tensor, axis, before, Math.max(after, needed - n - before), value)
        return Array.from({ length: kernel }, (_, place) => Taking.every(whole, axis, place * dilation, count, stride))
      }),
    [x]
  )
}
