/**
 * One memory that the runtime and the passes share. It grows where it is; arrays in it stay where they are.
 */
/// <reference path="./webassembly.d.ts" />
import { NdArray } from "@rai/core"
import * as Wasm from "./Wasm.ts"

const page = 65536

/** Arrays of floats in one memory. */
export interface Arena {
  readonly memory: WebAssembly.Memory
  /** An array of a shape, zeros; what follows its end up to 16 bytes is its own too, so that a pass need not look where it ends. */
  readonly array: (shape: ReadonlyArray<number>) => Placed
}

/** An array with its address in the memory. */
export interface Placed {
  readonly shape: ReadonlyArray<number>
  readonly data: Float32Array
  readonly address: number
}

/** An empty memory. */
export const make = (): Arena => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: Wasm.mostPages, shared: true })
  let end = 0
  return {
    memory,
    array: (shape) => {
      const size = NdArray.size(shape)
      const address = end
      end += Math.ceil(Math.max(size, 1) / 4) * 16
      const missing = Math.ceil((end - memory.buffer.byteLength) / page)
      if (missing > 0) memory.grow(missing)
      return { shape, address, data: new Float32Array(memory.buffer, address, size) }
    }
  }
}
