/**
 * The entries of a session, where they lie in its memory.
 */
import { type Engine, type NdArray, type Program, Shape } from "@rai/core"
import * as Arena from "./Arena.ts"
import * as Known from "./Known.ts"
import type * as Region from "./Region.ts"

/** A session's memory with its entries. */
export class Store {
  readonly arena = Arena.make()
  private readonly regions = new Map<string, Region.Region>()

  /** Regions of the entries by name. */
  get state(): ReadonlyMap<string, Region.Region> {
    return this.regions
  }

  private get buffer(): ArrayBufferLike {
    return this.arena.memory.buffer
  }

  /** Moves an entry to another region, and frees the one where it was. */
  move(entry: string, to: Region.Region): void {
    const before = this.regions.get(entry)
    this.regions.set(entry, to)
    if (before !== undefined && before !== to) this.arena.free(before)
  }

  /** Writes an entry, where it is if it keeps its shape and kind. */
  write(entry: string, array: NdArray.NdArray, kind = Arena.kindOf(array)): void {
    const before = this.regions.get(entry)
    const stays = before !== undefined && before.kind === kind && Shape.equals(before.shape, array.shape)
    const region = stays ? before : this.arena.array(array.shape, kind)
    this.fill(region, array)
    this.move(entry, region)
  }

  /** Writes an array into a region. */
  fill(region: Region.Region, array: NdArray.NdArray): void {
    Arena.write(this.buffer, region, array)
  }

  /** Reads regions by name, all entries by default. */
  read(regions: Readonly<Record<string, Region.Region>> = Object.fromEntries(this.regions)): Engine.Arrays {
    return Object.fromEntries(
      Object.entries(regions).map(([name, region]) => [name, Arena.read(this.buffer, region)] as const)
    )
  }

  /** Converts entries to the types that a program takes: integers may have been written where it takes floats. */
  convert({ inputs }: Program.Program): void {
    for (const [input, node] of Object.entries(inputs)) {
      const region = this.regions.get(input)
      if (region === undefined || region.kind === Known.kindOf(node)) continue
      this.write(input, Arena.read(this.buffer, region), Known.kindOf(node))
    }
  }
}
