/**
 * Tensors of float16 as their bits: where Float16Array exists, onnxruntime-common makes one, whose memory onnxruntime-node does not see.
 */
import { Tensor } from "onnxruntime-node"

/**
 * Makes a tensor of these numbers of 16 bits.
 *
 * ```ts
 * import { Halves } from "@rai/onnxruntime"
 *
 * Halves.tensor(Uint16Array.of(0x3c00, 0xc000), [2]).type // => "float16"
 * ```
 */
export const tensor = (bits: Uint16Array, dims: ReadonlyArray<number>): Tensor =>
  Object.assign(new Tensor("uint16", bits, dims), { type: "float16" as const })

/**
 * The bits of such a tensor's data.
 *
 * ```ts
 * import { Halves } from "@rai/onnxruntime"
 *
 * Halves.bits(Halves.tensor(Uint16Array.of(0x3c00), [1]).data).join() // => "15360"
 * ```
 */
export const bits = (data: Tensor["data"]): Uint16Array => {
  const { buffer, byteOffset, length } = data as Uint16Array
  return new Uint16Array(buffer, byteOffset, length)
}
