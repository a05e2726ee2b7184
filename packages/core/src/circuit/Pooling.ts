/**
 * Pooling over windows, or over the whole image or signal, as in PyTorch.
 */
import { count, show } from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import * as Windows from "../tensor/Windows.ts"
import type { Block } from "./Block.ts"
import * as Window from "./Window.ts"

/** The settings of pooling. */
export interface Settings {
  /** The window's length along each axis. */
  readonly kernel: number
  /** Distance from one window to the next; the kernel's length by default. */
  readonly stride?: number
}

const make =
  (kind: string, axes: 1 | 2, left: (places: ReadonlyArray<Tensor>) => Tensor) =>
  ({ kernel, stride = kernel }: Settings): Block => ({
    _tag: "Block",
    kind,
    settings: { kernel, stride },
    parameters: {},
    isPassing: true,
    apply: (z) => left(Windows.places(z, Window.over(kind, z, { axes, kernel, stride, padding: 0 })))
  })

const largest = (places: ReadonlyArray<Tensor>): Tensor => places.reduce((a, b) => a.maximum(b))

const mean = (places: ReadonlyArray<Tensor>): Tensor => places.reduce((a, b) => a.add(b)).mul(1 / places.length)

/** The maximum of each window: [batch, channels, length] → [batch, channels, windows]. */
export const maxPool1d = make("max-pool1d", 1, largest)

/** The maximum of each window: [batch, channels, height, width] → [batch, channels, rows, columns]. */
export const maxPool2d = make("max-pool2d", 2, largest)

/** The mean of each window: [batch, channels, length] → [batch, channels, windows]. */
export const averagePool1d = make("average-pool1d", 1, mean)

/** The mean of each window: [batch, channels, height, width] → [batch, channels, rows, columns]. */
export const averagePool2d = make("average-pool2d", 2, mean)

const global = (kind: string, left: (z: Tensor, axes: ReadonlyArray<number>) => Tensor): Block => ({
  _tag: "Block",
  kind,
  settings: {},
  parameters: {},
  isPassing: true,
  apply: (z) => {
    if (z.shape.length < 3) {
      throw new ShapeMismatch({ operation: kind, expected: "[batch, channels, …]", came: show(z.shape) })
    }
    return left(
      z,
      z.shape.slice(2).map((_, i) => 2 + i)
    ).reshape(z.shape.slice(0, 2))
  }
})

/** The maximum of each channel: [batch, channels, …] → [batch, channels]. */
export const globalMaxPool: Block = global("global-max-pool", (z, axes) => z.max(axes))

/** The mean of each channel: [batch, channels, …] → [batch, channels]. */
export const globalAveragePool: Block = global("global-average-pool", (z, axes) =>
  z.sum(axes).mul(1 / count(z.shape.slice(2)).known)
)
