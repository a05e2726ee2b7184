/** A user-defined linear map: the convolution of square images, whose inputs and outputs are rows of numbers. */
import { type Circuit, Tensor } from "@rai/core"

/** A 3 × 3 convolution, zero-padded, from images [side, side, channels] to [side, side, filters]; bias [filters]. */
export const convolution = (side: number, channels: number, filters: number): Circuit.Circuit & { _tag: "Block" } => ({
  _tag: "Block",
  kind: "convolution",
  settings: { inputs: side * side * channels, outputs: side * side * filters },
  parameters: {
    weight: { shape: [9 * channels, filters], role: "weight", fanIn: 9 * channels, fanOut: 9 * filters },
    bias: { shape: [filters], role: "bias", fanIn: 9 * channels, fanOut: 9 * filters }
  },
  apply: (z, { bias, weight }) => {
    const [batch] = z.shape as [number]
    const padded = z.reshape([batch, side, side, channels]).pad(1, 1, 1).pad(2, 1, 1)
    const patches = [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => padded.slice(1, i, i + side).slice(2, j, j + side)))
    const rows = Tensor.concat(patches, 3).reshape([batch, side * side, 9 * channels])
    const W = weight!.reshape([1, 9 * channels, filters]).broadcastTo([batch, 9 * channels, filters])
    return rows
      .matMul(W)
      .add(bias!)
      .reshape([batch, side * side * filters])
  }
})
