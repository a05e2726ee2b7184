/**
 * Windows that slide over images and signals, as convolution and pooling use them.
 */
import type { Shape } from "../tensor/Shape.ts"
import { show } from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Tensor } from "../tensor/Tensor.ts"

/** A window of `kernel` places along each of the last `axes` axes, moved by `stride` places, over `padding` zeros on either side. */
export interface Window {
  /** The required number of channels, if any. */
  readonly channels?: number
  readonly axes: 1 | 2
  readonly kernel: number
  readonly stride: number
  readonly padding: number
}

/** Number of windows along an axis: ⌊(n + 2 padding − kernel) / stride⌋ + 1. */
const count = (length: number, { kernel, padding, stride }: Window): number =>
  Math.floor((length + 2 * padding - kernel) / stride) + 1

/**
 * For each place within the window, row by row, the values there in all windows: z: [batch, channels, …] → each [batch, channels, windows, …]. Throws
 * `ShapeMismatch` where z has other axes, or is smaller than the window.
 */
export const places = (operation: string, z: Tensor, window: Window): ReadonlyArray<Tensor> => {
  const { axes, channels = z.shape[1], kernel, padding, stride } = window
  const lengths = z.shape.slice(2)
  const fits = (n: Shape[number]) => typeof n === "number" && n + 2 * padding >= kernel
  if (lengths.length !== axes || z.shape[1] !== channels || !lengths.every(fits)) {
    const least = Array(axes).fill(`${Math.max(1, kernel - 2 * padding)} or more`)
    const expected = `[${["batch", window.channels ?? "channels", ...least].join(", ")}]`
    throw new ShapeMismatch({ operation, expected, came: show(z.shape) })
  }
  const along = (of: ReadonlyArray<Tensor>, axis: number): ReadonlyArray<Tensor> => {
    const windows = count(z.shape[axis] as number, window)
    return of.flatMap((tensor) => {
      const padded = tensor.pad(axis, padding, padding)
      return Array.from({ length: kernel }, (_, place) => every(padded, axis, place, windows, stride))
    })
  }
  return lengths.reduce<ReadonlyArray<Tensor>>((of, _, i) => along(of, 2 + i), [z])
}

/** `windows` places along an axis, `stride` apart, beginning at `start`. */
const every = (z: Tensor, axis: number, start: number, windows: number, stride: number): Tensor => {
  if (stride === 1) return z.slice(axis, start, start + windows)
  const length = z.shape[axis] as number
  const end = start + windows * stride
  // Pad so that the last window, too, is followed by a full stride; the values there do not matter.
  const whole = z.pad(axis, 0, Math.max(0, end - length)).slice(axis, start, end)
  const parted = whole.reshape(whole.shape.toSpliced(axis, 1, windows, stride))
  return parted.at(axis + 1, 0)
}
