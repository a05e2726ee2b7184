/**
 * What threads do for one run of a program, as plain data that refers only to regions in their shared memory.
 */
import type * as Region from "./Region.ts"

/** A graph with the regions of its inputs and results, by their names in the model. */
export interface Graph {
  /** The same array for graphs that differ only in their regions. */
  readonly model: Uint8Array
  /** Whether the runtime may optimise the graph, which takes time quadratic in its size. */
  readonly optimize: boolean
  /** Whether the runtime keeps the memory of intermediate results from one run to the next. */
  readonly keeps: boolean
  /** Number of the runtime's own threads for it, and whether these spin for a while after a run. */
  readonly threads: number
  readonly awake: boolean
  readonly feeds: Readonly<Record<string, Region.Region>>
  readonly fetches: Readonly<Record<string, Region.Region>>
}

/** A copy from one region to another. */
export interface Move {
  readonly from: Region.Region
  readonly to: Region.Region
}

/** Arguments of one call of a pass: from `from` up to `to` in bytes of each array, then the addresses of arrays that differ between calls. */
export type Call = readonly [from: number, to: number, ...at: ReadonlyArray<number>]

/**
 * The parts of a pass that a thread is responsible for: after each of its graphs, and after the gathers. Any thread with time to spare may do those
 * after the last graph.
 */
export interface Share {
  readonly early: ReadonlyArray<ReadonlyArray<Call>>
  readonly late: ReadonlyArray<Call>
}

/** In order: graphs and early parts of passes, gathers for the passes, their late parts, moves into the state. */
export interface Job {
  /** The successive graphs of each participating thread. */
  readonly graphs: ReadonlyArray<ReadonlyArray<Graph>>
  readonly gathers: ReadonlyArray<Move>
  /** The passes' WebAssembly module, one function each. */
  readonly module: Uint8Array<ArrayBuffer> | undefined
  /** Each thread's share of every pass. */
  readonly passes: ReadonlyArray<ReadonlyArray<Share>>
  readonly moves: ReadonlyArray<Move>
}
