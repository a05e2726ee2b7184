/**
 * Arrays kept per example in main memory: auxiliaries, their multipliers and their optimiser slots. Each batch's rows are sent to the engine and
 * written back.
 */
import { Record } from "effect"
import * as Batches from "../data/Batches.ts"
import type { Arrays } from "../engine/Engine.ts"
import * as NdArray from "../tensor/NdArray.ts"
import { good } from "./PhaseState.ts"

/** The kept arrays, and their held copies to go back to. */
export interface Kept {
  /** Moves the kept arrays out of a state and returns the rest. */
  readonly take: (state: Arrays) => Arrays
  /** The kept arrays by name, without held copies. */
  readonly own: () => Arrays
  /** Copies of everything, held copies included; the arrays themselves change in place with every batch. */
  readonly copies: () => Arrays
  /** Returns the rows of a batch. */
  readonly rows: (indices: ArrayLike<number>) => Arrays
  /** Writes the rows of a batch back. */
  readonly scatter: (indices: ArrayLike<number>, came: Arrays) => void
  readonly hold: () => void
  readonly restore: () => void
}

/** Creates an empty store; `perExample` maps each array's name to its example axis. */
export const make = (perExample: ReadonlyMap<string, 0 | 1>): Kept => {
  const kept: Record<string, NdArray.NdArray> = {}
  const names = [...perExample.keys()]
  const isKept = (name: string) => perExample.has(name.replace(/^good\//, ""))
  return {
    take: (state) => {
      Object.assign(kept, copied(Record.filter(state, (_, name) => isKept(name))))
      return Record.filter(state, (_, name) => !isKept(name))
    },
    own: () => Object.fromEntries(names.map((name) => [name, kept[name]!])),
    copies: () => copied(kept),
    rows: (indices) =>
      Object.fromEntries([...perExample].map(([name, axis]) => [name, Batches.rows(kept[name]!, indices, axis)])),
    scatter: (indices, came) => {
      for (const [name, axis] of perExample) {
        const { data, shape } = kept[name]!
        // Widen to the precision that the engine computes in.
        const narrow = came[name]!.data instanceof Float64Array && data instanceof Float32Array
        if (narrow) kept[name] = { shape, data: Float64Array.from(data) }
        Batches.scatter(kept[name]!, indices, came[name]!, axis)
      }
    },
    hold: () => {
      for (const name of names) kept[good(name)] = NdArray.copy(kept[name]!)
    },
    restore: () => {
      for (const name of names) kept[name] = NdArray.copy(kept[good(name)]!)
    }
  }
}

const copied = (arrays: Arrays): Arrays => Record.map(arrays, NdArray.copy)
