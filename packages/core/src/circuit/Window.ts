/**
 * The windows of convolution and pooling, which are alike along all axes.
 */
import type { Shape } from "../tensor/Shape.ts"
import { show } from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import * as Windows from "../tensor/Windows.ts"

/** A window of `kernel` places along each of the last `axes` axes, moved by `stride` places, over `padding` zeros on either side. */
export interface Window {
  /** The required number of channels, if any. */
  readonly channels?: number
  readonly axes: 1 | 2
  readonly kernel: number
  readonly stride: number
  readonly padding: number
}

/** The windows over z: [batch, channels, …], one per axis. Throws `ShapeMismatch` where z has other axes, or is smaller than the window. */
export const over = (operation: string, z: Tensor, window: Window): ReadonlyArray<Windows.Along> => {
  const { axes, channels = z.shape[1], kernel, padding, stride } = window
  const lengths = z.shape.slice(2)
  const fits = (n: Shape[number]) => typeof n === "number" && n + 2 * padding >= kernel
  if (lengths.length !== axes || z.shape[1] !== channels || !lengths.every(fits)) {
    const least = Array(axes).fill(`${Math.max(1, kernel - 2 * padding)} or more`)
    const expected = `[${["batch", window.channels ?? "channels", ...least].join(", ")}]`
    throw new ShapeMismatch({ operation, expected, came: show(z.shape) })
  }
  return lengths.map((n) =>
    Windows.along(n as number, { kernel, dilation: 1, stride, before: padding, after: padding })
  )
}
