/**
 * Windows that slide along the axes of signals, images and volumes, as convolution and pooling use them.
 */
import { concat, constant, type Tensor } from "./Tensor.ts"

/** The windows along one axis. */
export interface Along {
  /** Number of places in a window, and their distance. */
  readonly kernel: number
  readonly dilation: number
  /** Distance from one window to the next. */
  readonly stride: number
  /** Elements of padding on either side. */
  readonly before: number
  readonly after: number
  /** Number of windows. */
  readonly count: number
}

/** Length of a window from its first place to its last. */
export const reach = ({ dilation, kernel }: Pick<Along, "dilation" | "kernel">): number => (kernel - 1) * dilation + 1

/** Length from the first place of the first window to the last place of the last. */
export const span = (along: Along): number => (along.count - 1) * along.stride + reach(along)

/** All windows that lie wholly within an axis and its padding: ⌊(length + before + after − reach) / stride⌋ + 1. */
export const along = (length: number, settings: Omit<Along, "count">): Along => {
  const { after, before, stride } = settings
  return { ...settings, count: Math.floor((length + before + after - reach(settings)) / stride) + 1 }
}

/**
 * For each place within the window, row by row, the elements there in all windows, with `value` as padding: x: [batch, channels, …] → each [batch,
 * channels, windows, …].
 *
 * ```ts
 * import { Program, Windows } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const pairs = Windows.along(8, { kernel: 2, dilation: 1, stride: 2, before: 0, after: 0 })
 * const program = Program.make({ x: ["batch", 1, 8] }, ({ x }) => {
 *   const [left, right] = Windows.places(x, [pairs])
 *   return { larger: left!.maximum(right!) }
 * })
 * Effect.runSync(program).outputs.larger!.shape // => ["batch", 1, 4]
 * ```
 */
export const places = (x: Tensor, windows: ReadonlyArray<Along>, value = 0): ReadonlyArray<Tensor> =>
  windows.reduce<ReadonlyArray<Tensor>>(
    (of, along, i) => {
      const { after, before, count, dilation, kernel, stride } = along
      const axis = 2 + i
      // A last window may reach beyond the padding.
      const behind = Math.max(after, span(along) - (x.shape[axis] as number) - before)
      return of.flatMap((tensor) => {
        const whole = padded(tensor, axis, before, behind, value)
        return Array.from({ length: kernel }, (_, place) => every(whole, axis, place * dilation, count, stride))
      })
    },
    [x]
  )

/** The windows as columns, for products with filters: x: [batch, channels, …] → [batch, channels, places in a window, all windows]. */
export const patches = (x: Tensor, windows: ReadonlyArray<Along>): Tensor => {
  const all = windows.reduce((product, { count }) => product * count, 1)
  return concat(
    places(x, windows).map((place) => place.reshape([...x.shape.slice(0, 2), 1, all])),
    2
  )
}

/** `count` elements along an axis, `step` apart, from `start` on. */
export const every = (x: Tensor, axis: number, start: number, count: number, step: number): Tensor => {
  if (step === 1) return x.slice(axis, start, start + count)
  const length = x.shape[axis] as number
  const end = start + count * step
  // Padded so that the last element, too, is followed by a full step; what is there does not matter.
  const whole = x.pad(axis, 0, Math.max(0, end - length)).slice(axis, start, end)
  return whole.reshape(whole.shape.toSpliced(axis, 1, count, step)).at(axis + 1, 0)
}

/** Pads an axis with `before` and `after` copies of one number. */
export const padded = (x: Tensor, axis: number, before: number, after: number, value: number): Tensor => {
  if (value === 0) return x.pad(axis, before, after)
  const filling = (n: number) => (n === 0 ? [] : [constant(value).broadcastTo(x.shape.with(axis, n))])
  return concat([...filling(before), x, ...filling(after)], axis)
}
