/**
 * What threads do for one run of a program, as plain data: places in the memory that they share, and nothing else.
 */
import type * as Place from "./Place.ts"

/** A graph with the places of its inputs and results, by their names in the model. */
export interface Graph {
  readonly model: Uint8Array
  /** Whether the runtime may look for a better graph, which takes it time by the square of the graph's size. */
  readonly optimize: boolean
  /** Whether the runtime keeps the memory of what it computes on the way from one run to the next. */
  readonly keeps: boolean
  /** How many threads of its own the runtime takes for it. */
  readonly threads: number
  readonly feeds: Readonly<Record<string, Place.Place>>
  readonly fetches: Readonly<Record<string, Place.Place>>
}

/** Numbers that go from one place to another. */
export interface Move {
  readonly from: Place.Place
  readonly to: Place.Place
}

/** Bytes from `from` up to `to`. */
export type Range = readonly [from: number, to: number]

/**
 * The parts of a pass that a thread answers for, in bytes of each array: before the threads meet, where whoever has time may do them once its graph
 * is computed, and after what is gathered is there.
 */
export interface Share {
  readonly early: ReadonlyArray<Range>
  readonly late: ReadonlyArray<Range>
}

/** First the graphs and early parts, then what is gathered for the passes, then their late parts, then what becomes of the state. */
export interface Job {
  /** One for each thread that takes part. */
  readonly graphs: ReadonlyArray<Graph | undefined>
  readonly gathers: ReadonlyArray<Move>
  /** The passes' WebAssembly module, a function for each. */
  readonly module: Uint8Array<ArrayBuffer> | undefined
  /** Of every pass each thread's share. */
  readonly passes: ReadonlyArray<ReadonlyArray<Share>>
  readonly moves: ReadonlyArray<Move>
}
