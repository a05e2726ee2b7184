/**
 * One memory shared by threads, the runtime and the passes. It grows in place; arrays in it never move.
 */
/// <reference path="./webassembly.d.ts" />
import type { NdArray } from "@rai/core"
import * as Region from "./Region.ts"
import * as Wasm from "./Wasm.ts"

const page = 65536

/** Size of a cache line in bytes; arrays begin at multiples of it. */
const line = 64

/** Allocates an array; it owns the padding after it up to a multiple of 64 bytes, so that a pass need not treat its end specially. */
export type Allocate = (shape: ReadonlyArray<number>, kind: Region.Kind) => Region.Region

/** Arrays in one memory. */
export interface Arena {
  readonly memory: WebAssembly.Memory
  /** Allocates an array that lasts until it is freed. */
  readonly array: Allocate
  /** Frees an array that nothing reads any more. */
  readonly free: (region: Region.Region) => void
  /**
   * Returns an allocator of arrays that are needed only during a run: those of one allocator do not overlap each other, but may overlap those of
   * another.
   */
  readonly passing: () => Allocate
}

/** Returns the kind that an array is stored as. */
export const kindOf = ({ data }: NdArray.NdArray): Region.Kind =>
  data instanceof Uint8Array ? "bool" : data instanceof Int32Array ? "int64" : "float32"

/** Copies an array to a region. */
export const write = (buffer: ArrayBufferLike, region: Region.Region, { data }: NdArray.NdArray): void => {
  const numbers = Region.view(buffer, region)
  if (numbers instanceof BigInt64Array) numbers.set(BigInt64Array.from(data, BigInt))
  else numbers.set(data)
}

/** Copies a region into an ordinary array. */
export const read = (buffer: ArrayBufferLike, region: Region.Region): NdArray.NdArray => {
  const numbers = Region.view(buffer, region)
  return {
    shape: region.shape,
    data: numbers instanceof BigInt64Array ? Int32Array.from(numbers, Number) : numbers.slice()
  }
}

/** The arrays exceed what one memory can hold, or what the system gives. */
export class ArenaFull extends Error {
  constructor(pages: number) {
    super(
      pages > Wasm.mostPages
        ? "expected its arrays to fit into the 4 GiB that this engine holds, but there are more; use batches, fewer cuts or a smaller circuit, or another engine"
        : `expected the memory of its arrays to grow to ${Math.ceil((pages * page) / 1e6)} MB, but the system gave no more; raise what limits this process, as ulimit -v does, or use another engine, batches or a smaller circuit`
    )
  }
}

interface Block {
  readonly address: number
  readonly size: number
}

/** Creates an empty memory. */
export const make = (): Arena => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: Wasm.mostPages, shared: true })
  let end = 0
  const take = (size: number): Block => {
    // A pass may read slightly past the end of its last array.
    const missing = Math.ceil((end + size + line - memory.buffer.byteLength) / page)
    try {
      if (missing > 0) memory.grow(missing)
    } catch {
      throw new ArenaFull(memory.buffer.byteLength / page + missing)
    }
    const block = { address: end, size }
    end += size
    return block
  }
  const room = (shape: ReadonlyArray<number>, kind: Region.Kind): number =>
    Math.ceil(Math.max(Region.bytes({ shape, kind, address: 0 }), 1) / line) * line
  const smallest = (of: Iterable<Block>, size: number): Block | undefined =>
    [...of].filter((block) => block.size >= size).sort((a, b) => a.size - b.size)[0]
  /** Blocks of freed arrays. */
  const freed = new Set<Block>()
  const taken = new Map<number, Block>()
  /** Blocks that successive runs reuse. */
  const blocks: Array<Block> = []
  return {
    memory,
    array: (shape, kind) => {
      const size = room(shape, kind)
      const block = smallest(freed, size) ?? take(size)
      freed.delete(block)
      taken.set(block.address, block)
      return { kind, shape, address: block.address }
    },
    free: ({ address }) => {
      const block = taken.get(address)
      if (block !== undefined) freed.add(block)
      taken.delete(address)
    },
    passing: () => {
      const free = new Set(blocks)
      return (shape, kind) => {
        const size = room(shape, kind)
        const fitting = smallest(free, size)
        const block = fitting ?? take(size)
        if (fitting === undefined) blocks.push(block)
        free.delete(block)
        return { kind, shape, address: block.address }
      }
    }
  }
}
