/**
 * Where all tensors of a program lie in memory, and what one run of it must do besides its graph.
 */
import { type Engine, type Program, Shape, type Tensor } from "@rai/core"
import { Record } from "effect"
import type * as Arena from "./Arena.ts"
import type * as Early from "./Early.ts"
import type * as Job from "./Job.ts"
import type * as Kernel from "./Kernel.ts"
import * as Known from "./Known.ts"
import * as Partition from "./Partition.ts"
import * as Place from "./Place.ts"
import * as Views from "./Views.ts"

/** A session's entries by name. */
export type State = ReadonlyMap<string, Place.Place>

/** The memory layout of a program. */
export interface Layout {
  readonly kernels: ReadonlyArray<Kernel.Kernel>
  /** Tensors that the graph computes, and where it writes them. */
  readonly computed: ReadonlyMap<Tensor.Tensor, Place.Place>
  /** Returns the place of an input. */
  readonly placeOf: (input: Tensor.Tensor) => Place.Place
  /** Allocates a place that is needed only during a run. */
  readonly placeFor: (node: Tensor.Tensor) => Place.Place
  /** Inputs passed with a run, by name; all others are entries of the state. */
  readonly given: Readonly<Record<string, Place.Place>>
  /** Outputs that are not entries of the state. */
  readonly report: Readonly<Record<string, Place.Place>>
  /** New places of entries whose shape or type changes. */
  readonly reshaped: Readonly<Record<string, Place.Place>>
  /** Names of the inputs that the program reads. */
  readonly read: ReadonlySet<string>
  readonly gathers: ReadonlyArray<Job.Move>
  readonly passes: ReadonlyArray<Early.Pass>
  readonly moves: ReadonlyArray<Job.Move>
}

/** The kind of array that holds a tensor, by its type. */
export const kinds = { float: "float32", int: "int64", bool: "bool" } as const

/** Whether the tensor is an input. */
export const isInput = ({ primitive }: Tensor.Tensor): boolean => primitive.name === "input"

/** Returns an input's name. */
export const nameOf = ({ attributes }: Tensor.Tensor): string => attributes.name as string

/** Lays out a program of known lengths for a state and the inputs passed beside it. */
export const make = (program: Program.Program, arena: Arena.Arena, state: State, inputs: Engine.Arrays): Layout => {
  const { kernels, needed } = Partition.make(program)
  const passing = arena.passing()
  const placeFor = (node: Tensor.Tensor): Place.Place => passing(Known.shapeOf(node), kinds[node.dtype])
  const outputs = Object.entries(program.outputs)
  const read = new Set(program.nodes.filter(isInput).map(nameOf))
  const given = Record.map(
    Record.filter(program.inputs, (_, name) => name in inputs && read.has(name)),
    placeFor
  )
  const replaced = new Set(outputs.map(([name]) => name).filter((name) => state.has(name)))
  const bearers = Map.groupBy(outputs, ([, node]) => node)
  /** The entry that a result goes to, if no other output is the same node and the entry has its shape and kind. */
  const entryOf = (node: Tensor.Tensor): readonly [name: string, place: Place.Place] | undefined => {
    const [[name] = [""], ...others] = bearers.get(node) ?? []
    const place = state.get(name)
    const fits = others.length === 0 && place?.kind === kinds[node.dtype] && Shape.equals(place.shape, node.shape)
    return fits ? [name, place] : undefined
  }

  const places = new Map<Tensor.Tensor, Place.Place>()
  const computed = new Map<Tensor.Tensor, Place.Place>()
  const gathers: Array<Job.Move> = []
  const settle = (node: Tensor.Tensor, place: Place.Place): Place.Place => {
    places.set(node, place)
    return place
  }
  const compute = (node: Tensor.Tensor, place: Place.Place): Place.Place => {
    computed.set(node, place)
    return settle(node, place)
  }
  /** Returns the place of a tensor, assigning one if needed. */
  const lay = (node: Tensor.Tensor): Place.Place => {
    const known = places.get(node)
    if (known !== undefined) return known
    const { base, offset } = Views.of(node)
    if (base !== node) return settle(node, Place.part(lay(base), offset, Known.shapeOf(node)))
    if (isInput(node)) return settle(node, given[nameOf(node)] ?? state.get(nameOf(node))!)
    if (Views.isJoined(node)) {
      const { after, before } = overhang(node)
      const size = before + Known.sizeOf(node) + after
      const place = Place.part(passing([size], kinds[node.dtype]), before, Known.shapeOf(node))
      fill(node, place, before, after)
      return settle(node, place)
    }
    const entry = entryOf(node)
    // An entry that is never read may be overwritten directly.
    return compute(node, entry !== undefined && !read.has(entry[0]) ? entry[1] : placeFor(node))
  }
  /** Elements to reserve around a concatenation whose first or last part is a slice of a tensor that is computed as a whole. */
  const overhang = (node: Tensor.Tensor): { readonly before: number; readonly after: number } => {
    const [first, last] = [Views.of(node.operands[0]!), Views.of(node.operands.at(-1)!)]
    const isFree = ({ base }: Views.View) => !isInput(base) && !places.has(base)
    return {
      before: isFree(first) ? first.offset : 0,
      after: isFree(last) ? beyond(last, node.operands.at(-1)!) : 0
    }
  }
  /**
   * Arranges for a tensor's values to be at `place`, with `before` and `after` free elements around it; parts of a concatenation are computed
   * directly there.
   */
  const fill = (node: Tensor.Tensor, place: Place.Place, before: number, after: number): void => {
    if (Views.isJoined(node) && !places.has(node)) {
      let offset = 0
      for (const [i, operand] of node.operands.entries()) {
        const room = [i === 0 ? before : 0, i === node.operands.length - 1 ? after : 0] as const
        fill(operand, Place.part(place, offset, Known.shapeOf(operand)), ...room)
        offset += Known.sizeOf(operand)
      }
      return
    }
    const view = Views.of(node)
    const { base, offset } = view
    if (places.has(node) || places.has(base) || isInput(base)) {
      gathers.push({ from: lay(node), to: place })
    } else if (offset <= before && beyond(view, node) <= after) {
      const whole = Place.part(place, -offset, Known.shapeOf(base))
      if (base !== node && Views.isJoined(base)) fill(base, whole, before - offset, after - beyond(view, node))
      else compute(base, whole)
    } else {
      compute(node, place)
    }
  }

  // Results of passes are written into the entry itself where no other pass reads it.
  const readers = new Map<string, Set<Kernel.Kernel>>()
  for (const kernel of kernels) {
    for (const operand of [...kernel.arrays, ...kernel.numbers]) {
      const { base } = Views.of(operand)
      if (!isInput(base)) continue
      // An entry that is not read from its beginning, element by element, may be read after it was overwritten.
      const isWhole = Known.sizeOf(base) === Known.sizeOf(operand) && kernel.arrays.includes(operand)
      const by = readers.get(nameOf(base)) ?? new Set()
      readers.set(nameOf(base), isWhole ? by.add(kernel) : by.add(kernel).add(foreign))
    }
  }
  const written = kernels.flatMap((kernel) => kernel.results.map((node) => [kernel, node] as const))
  for (const [kernel, node] of written) {
    const entry = entryOf(node)
    const others = [...(readers.get(entry?.[0] ?? "") ?? [])].filter((reader) => reader !== kernel)
    settle(node, entry !== undefined && others.length === 0 ? entry[1] : placeFor(node))
  }
  for (const node of needed) lay(node)

  const addresses = (nodes: ReadonlyArray<Tensor.Tensor>) => nodes.map((node) => lay(node).address)
  const passes = kernels.map(
    ({ arrays, numbers, results, size }): Early.Pass => ({
      size: Math.ceil(size / 4) * 16,
      read: addresses(arrays),
      numbers: addresses(numbers),
      written: addresses(results)
    })
  )
  const moves: Array<Job.Move> = []
  const report: Record<string, Place.Place> = {}
  const reshaped: Record<string, Place.Place> = {}
  for (const [name, node] of outputs) {
    const { base } = Views.of(node)
    let from = lay(node)
    // An output that is a view of an entry which this run replaces is copied aside first.
    if (isInput(base) && replaced.has(nameOf(base))) {
      const apart = placeFor(node)
      gathers.push({ from, to: apart })
      from = apart
    }
    const entry = state.get(name)
    if (entry === undefined) {
      report[name] = from
    } else if (entry.kind !== kinds[node.dtype] || !Shape.equals(entry.shape, node.shape)) {
      reshaped[name] = arena.array(Known.shapeOf(node), kinds[node.dtype])
      moves.push({ from, to: reshaped[name] })
    } else if (entry.address !== from.address) {
      moves.push({ from, to: entry })
    }
  }
  return { kernels, computed, placeOf: lay, placeFor, given, report, reshaped, read, gathers, passes, moves }
}

/** Number of elements of a view's base after the view. */
const beyond = ({ base, offset }: Views.View, node: Tensor.Tensor): number =>
  Known.sizeOf(base) - offset - Known.sizeOf(node)

/** Stands for a reader that is not a pass. */
const foreign = { size: 0, arrays: [], numbers: [], results: [], nodes: [] } satisfies Kernel.Kernel

/** Returns the place of a concatenation whose parts are already consecutive in memory; undefined otherwise. */
export const following = (
  node: Tensor.Tensor,
  places: ReadonlyMap<Tensor.Tensor, Place.Place | undefined>
): Place.Place | undefined => {
  if (!Views.isJoined(node)) return undefined
  const [first, ...others] = node.operands.map((operand) => places.get(operand))
  let end = first && first.address + Place.bytes(first)
  for (const place of others) {
    if (place === undefined || place.address !== end) return undefined
    end += Place.bytes(place)
  }
  return first && { ...first, shape: Known.shapeOf(node) }
}
