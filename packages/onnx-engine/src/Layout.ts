/**
 * Where all tensors of a program lie in memory, and what one run of it must do besides its graph.
 */
import type { Engine, Program, Tensor } from "@rai/core"
import { Record } from "effect"
import type * as Arena from "./Arena.ts"
import type * as Early from "./Early.ts"
import * as Entries from "./Entries.ts"
import type * as Job from "./Job.ts"
import type * as Kernel from "./Kernel.ts"
import * as Known from "./Known.ts"
import * as Partition from "./Partition.ts"
import { Placement } from "./Placement.ts"
import type * as Region from "./Region.ts"
import * as Views from "./Views.ts"

/** The memory layout of a program. */
export interface Layout {
  readonly kernels: ReadonlyArray<Kernel.Kernel>
  /** Tensors that the graph computes, and where it writes them. */
  readonly computed: ReadonlyMap<Tensor.Tensor, Region.Region>
  /** Returns the region of an input. */
  readonly regionOf: (input: Tensor.Tensor) => Region.Region
  /** Allocates a region that is needed only during a run. */
  readonly regionFor: (node: Tensor.Tensor) => Region.Region
  /** Inputs passed with a run, by name; all others are entries of the state. */
  readonly given: Readonly<Record<string, Region.Region>>
  /** Outputs that are not entries of the state. */
  readonly report: Readonly<Record<string, Region.Region>>
  /** New regions of entries whose shape or type changes. */
  readonly reshaped: Readonly<Record<string, Region.Region>>
  /** Names of the inputs that the program reads. */
  readonly read: ReadonlySet<string>
  /** Copies before the passes that wait for them, the passes, and copies into the state after them. */
  readonly gathers: ReadonlyArray<Job.Move>
  readonly passes: ReadonlyArray<Early.Pass>
  readonly moves: ReadonlyArray<Job.Move>
}

/** Lays out a program of known lengths for a state and the inputs passed beside it. */
export const make = (
  program: Program.Program,
  arena: Arena.Arena,
  state: Entries.State,
  inputs: Engine.Arrays
): Layout => {
  const { kernels, needed } = Partition.make(program)
  const passing = arena.passing()
  const read = new Set(program.nodes.filter(Views.isInput).map(Views.nameOf))
  const given = Record.map(
    Record.filter(program.inputs, (_, name) => name in inputs && read.has(name)),
    (input) => passing(Known.shapeOf(input), Known.kindOf(input))
  )
  const replacedBy = Entries.replacedBy(program.outputs, state)
  const placement = new Placement({
    passing,
    inputs: (input) => given[Views.nameOf(input)] ?? state.get(Views.nameOf(input))!,
    // An entry that is never read may be overwritten by the graph.
    preferred: (node) => {
      const entry = replacedBy(node)
      return entry === undefined || read.has(entry.name) ? undefined : entry.region
    }
  })
  const isOverwritable = Entries.overwritable(kernels)
  for (const kernel of kernels) {
    for (const node of kernel.results) {
      const entry = replacedBy(node)
      const isDirect = entry !== undefined && isOverwritable(entry.name, kernel)
      placement.settle(node, isDirect ? entry.region : placement.regionFor(node))
    }
  }
  for (const node of needed) placement.regionOf(node)
  const { regionFor, regionOf } = placement
  const passes = kernels.map((kernel) => passOf(kernel, regionOf))
  const { aside, ...left } = leaving(program, arena, state, placement)
  const gathers = [...placement.gathers, ...aside]
  return { kernels, computed: placement.computed, regionOf, regionFor, given, read, gathers, passes, ...left }
}

const passOf = (
  { arrays, numbers, results, size }: Kernel.Kernel,
  regionOf: (node: Tensor.Tensor) => Region.Region
): Early.Pass => {
  const addresses = (nodes: ReadonlyArray<Tensor.Tensor>) => nodes.map((node) => regionOf(node).address)
  // Four floats, of 16 bytes, at a time.
  const bytes = Math.ceil(size / 4) * 16
  return { size: bytes, read: addresses(arrays), numbers: addresses(numbers), written: addresses(results) }
}

/** What becomes of the outputs: those that are reported, and how the others get into the state. */
const leaving = (program: Program.Program, arena: Arena.Arena, state: Entries.State, placement: Placement) => {
  const replaced = new Set(Object.keys(program.outputs).filter((name) => state.has(name)))
  const aside: Array<Job.Move> = []
  const moves: Array<Job.Move> = []
  const report: Record<string, Region.Region> = {}
  const reshaped: Record<string, Region.Region> = {}
  for (const [name, node] of Object.entries(program.outputs)) {
    const { base } = Views.of(node)
    let from = placement.regionOf(node)
    // An output that is a view of an entry which this run replaces is copied aside first.
    if (Views.isInput(base) && replaced.has(Views.nameOf(base))) {
      const apart = placement.regionFor(node)
      aside.push({ from, to: apart })
      from = apart
    }
    const entry = state.get(name)
    if (entry === undefined) {
      report[name] = from
    } else if (!Entries.fits(entry, node)) {
      reshaped[name] = arena.array(Known.shapeOf(node), Known.kindOf(node))
      moves.push({ from, to: reshaped[name] })
    } else if (entry.address !== from.address) {
      moves.push({ from, to: entry })
    }
  }
  return { aside, moves, report, reshaped }
}
