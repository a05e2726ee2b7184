/**
 * What threads do for one run of a program, as plain data: places in the memory that they share, and nothing else.
 */
import type * as Place from "./Place.ts"

/** A graph with the places of its inputs and results, by their names in the model. */
export interface Graph {
  /** One and the same for graphs that differ in their places alone. */
  readonly model: Uint8Array
  /** Whether the runtime may look for a better graph, which takes it time by the square of the graph's size. */
  readonly optimize: boolean
  /** Whether the runtime keeps the memory of what it computes on the way from one run to the next. */
  readonly keeps: boolean
  /** How many threads of its own the runtime takes for it, and whether these stay awake for a while after a run. */
  readonly threads: number
  readonly awake: boolean
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

/** What a pass does at once: from `from` up to `to` in bytes of each array; then where the arrays begin that lie elsewhere each time. */
export type Stretch = readonly [from: number, to: number, ...at: ReadonlyArray<number>]

/**
 * The parts of a pass that a thread answers for: behind each of its graphs, and after what is gathered is there. What lies behind its last graph
 * any thread may do that has time.
 */
export interface Share {
  readonly early: ReadonlyArray<ReadonlyArray<Stretch>>
  readonly late: ReadonlyArray<Stretch>
}

/** First the graphs and early parts, then what is gathered for the passes, then their late parts, then what becomes of the state. */
export interface Job {
  /** Of each thread that takes part its graphs, one after the other. */
  readonly graphs: ReadonlyArray<ReadonlyArray<Graph>>
  readonly gathers: ReadonlyArray<Move>
  /** The passes' WebAssembly module, a function for each. */
  readonly module: Uint8Array<ArrayBuffer> | undefined
  /** Of every pass each thread's share. */
  readonly passes: ReadonlyArray<ReadonlyArray<Share>>
  readonly moves: ReadonlyArray<Move>
}
