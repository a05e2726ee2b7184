/**
 * One memory that threads, the runtime and the passes share. It grows where it is; arrays in it stay where they are.
 */
/// <reference path="./webassembly.d.ts" />
import type { NdArray } from "@rai/core"
import * as Place from "./Place.ts"
import * as Wasm from "./Wasm.ts"

const page = 65536

/** An array of a shape; what follows its end up to 64 bytes is its own too, so that a pass need not look where it ends. */
export type Allocate = (shape: ReadonlyArray<number>, kind: Place.Kind) => Place.Place

/** Arrays in one memory. */
export interface Arena {
  readonly memory: WebAssembly.Memory
  /** A new array. */
  readonly array: Allocate
  /** Arrays for what lives no longer than a run: those of one call lie apart from each other, not from those of another. */
  readonly passing: () => Allocate
}

/** What an array is held as. */
export const kindOf = ({ data }: NdArray.NdArray): Place.Kind =>
  data instanceof Uint8Array ? "bool" : data instanceof Int32Array ? "int64" : "float32"

/** Copies an array to a place. */
export const write = (buffer: ArrayBufferLike, place: Place.Place, { data }: NdArray.NdArray): void => {
  const numbers = Place.view(buffer, place)
  if (numbers instanceof BigInt64Array) numbers.set(BigInt64Array.from(data, BigInt))
  else numbers.set(data)
}

/** A copy of a place in plain memory. */
export const read = (buffer: ArrayBufferLike, place: Place.Place): NdArray.NdArray => {
  const numbers = Place.view(buffer, place)
  return {
    shape: place.shape,
    data: numbers instanceof BigInt64Array ? Int32Array.from(numbers, Number) : numbers.slice()
  }
}

/** An empty memory. */
export const make = (): Arena => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: Wasm.mostPages, shared: true })
  let end = 0
  const take = (size: number): number => {
    const address = end
    end += size
    const missing = Math.ceil((end - memory.buffer.byteLength) / page)
    if (missing > 0) memory.grow(missing)
    return address
  }
  const room = (shape: ReadonlyArray<number>, kind: Place.Kind): number =>
    Math.ceil(Math.max(Place.bytes({ shape, kind, address: 0 }), 1) / 64) * 64
  /** Blocks that runs use one after the other. */
  const blocks: Array<{ readonly address: number; readonly size: number }> = []
  return {
    memory,
    array: (shape, kind) => ({ kind, shape, address: take(room(shape, kind)) }),
    passing: () => {
      const free = new Set(blocks)
      return (shape, kind) => {
        const size = room(shape, kind)
        const fitting = [...free].filter((block) => block.size >= size).sort((a, b) => a.size - b.size)[0]
        const block = fitting ?? { address: take(size), size }
        if (fitting === undefined) blocks.push(block)
        free.delete(block)
        return { kind, shape, address: block.address }
      }
    }
  }
}
