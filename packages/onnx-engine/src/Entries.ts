/**
 * A session's entries, and which of them a program's results can be written into at once.
 */
import { type Program, Shape, type Tensor } from "@rai/core"
import type * as Kernel from "./Kernel.ts"
import * as Known from "./Known.ts"
import type * as Region from "./Region.ts"
import * as Views from "./Views.ts"

/** A session's entries by name. */
export type State = ReadonlyMap<string, Region.Region>

/** An entry of the state. */
export interface Entry {
  readonly name: string
  readonly region: Region.Region
}

/** Whether an entry can hold a tensor as it is. */
export const fits = (region: Region.Region, node: Tensor.Tensor): boolean =>
  region.kind === Known.kindOf(node) && Shape.equals(region.shape, node.shape)

/** Returns the entry that a result replaces: the one of its name, if no other output is the same tensor and the entry can hold it. */
export const replacedBy = (
  outputs: Program.Program["outputs"],
  state: State
): ((node: Tensor.Tensor) => Entry | undefined) => {
  const named = Map.groupBy(Object.entries(outputs), ([, node]) => node)
  return (node) => {
    const [[name] = [""], ...others] = named.get(node) ?? []
    const region = state.get(name)
    return others.length === 0 && region !== undefined && fits(region, node) ? { name, region } : undefined
  }
}

/**
 * Whether a pass may overwrite an entry although it reads it: each of its elements is read just before it is written, so that only another pass, or
 * the same one reading other elements of the entry, could find it changed.
 */
export const overwritable = (kernels: ReadonlyArray<Kernel.Kernel>): ((name: string, by: Kernel.Kernel) => boolean) => {
  const readers = new Map<string, Set<Kernel.Kernel | "elsewhere">>()
  for (const kernel of kernels) {
    for (const operand of [...kernel.arrays, ...kernel.numbers]) {
      const { base } = Views.of(operand)
      if (!Views.isInput(base)) continue
      const by = readers.get(Views.nameOf(base)) ?? new Set()
      const isWhole = Known.sizeOf(base) === Known.sizeOf(operand) && kernel.arrays.includes(operand)
      readers.set(Views.nameOf(base), by.add(kernel).add(isWhole ? kernel : "elsewhere"))
    }
  }
  return (name, by) => [...(readers.get(name) ?? [])].every((reader) => reader === by)
}
