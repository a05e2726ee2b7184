/**
 * Convolutions like PyTorch's Conv1d and Conv2d, with the same kernel size, stride and padding along all axes.
 */
import * as NdArray from "../tensor/NdArray.ts"
import * as Windows from "../tensor/Windows.ts"
import type { Block } from "./Block.ts"
import * as Window from "./Window.ts"

/** The settings of a convolution. */
export interface Settings {
  /** Number of input channels; `filters` is the number of output channels. */
  readonly channels: number
  readonly filters: number
  /** The window's length along each axis. */
  readonly kernel: number
  /** 1 by default. */
  readonly stride?: number
  /** Zeros on either side, 0 by default. */
  readonly padding?: number
  /** Whether to add a bias; true by default. Before a batch norm, which subtracts the mean again, the bias has no gradient except rounding. */
  readonly bias?: boolean
}

const make =
  (axes: 1 | 2) =>
  ({ bias = true, channels, filters, kernel, padding = 0, stride = 1 }: Settings): Block => {
    const kind = `conv${axes}d`
    const area = kernel ** axes
    const [fanIn, fanOut] = [channels * area, filters * area]
    return {
      _tag: "Block",
      kind,
      settings: { channels, filters, kernel, stride, padding, ...(!bias && { bias: 0 }) },
      parameters: {
        weight: { shape: [fanIn, filters], role: "weight", fanIn, fanOut },
        ...(bias && { bias: { shape: [filters], role: "bias", fanIn, fanOut } })
      },
      apply: (z, { bias: b, weight }) => {
        const windows = Window.over(kind, z, { axes, channels, kernel, stride, padding })
        const counts = windows.map(({ count }) => count)
        const batch = z.shape[0]!
        // For each channel the values at each place, in the order of the weight's rows.
        const patches = Windows.patches(z, windows).reshape([batch, fanIn, NdArray.size(counts)])
        // Pᵀ W per example: [batch, windows, filters].
        const y = patches.transpose([0, 2, 1]).matMul(weight!)
        return (b === undefined ? y : y.add(b)).transpose([0, 2, 1]).reshape([batch, filters, ...counts])
      }
    }
  }

/**
 * Over signals: y[b, f, i] = bias[f] + Σ_c Σ_k W[c, k; f] x[b, c, i·stride + k − padding], with x: [batch, channels, length] and W: [channels ·
 * kernel, filters], the transpose of PyTorch's weight with all axes but the first flattened into one.
 */
export const conv1d = make(1)

/**
 * Over images: y[b, f, i, j] = bias[f] + Σ_c Σ_k Σ_l W[c, k, l; f] x[b, c, i·stride + k − padding, j·stride + l − padding], with x: [batch, channels,
 * height, width] and W: [channels · kernel², filters], the transpose of PyTorch's weight with all axes but the first flattened into one.
 *
 * ```ts
 * import { Circuit } from "@rai/core"
 *
 * const circuit = Circuit.sequence(
 *   Circuit.unflatten({ channels: 1, height: 8, width: 8 }),
 *   Circuit.conv2d({ channels: 1, filters: 6, kernel: 3, padding: 1 }),
 *   Circuit.tanh,
 *   Circuit.maxPool2d({ kernel: 2 }),
 *   Circuit.flatten,
 *   Circuit.linear(96, 10)
 * )
 * Circuit.parameterCount(circuit) // => 1030
 * ```
 */
export const conv2d = make(2)
