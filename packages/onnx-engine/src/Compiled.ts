/**
 * A program laid out in the memory: where everything of it lies, and so what there is to do for one run.
 */
import { type Engine, Program, Rewrite, Shape, Simplify, Tensor, version } from "@rai/core"
import { Graph, Model, Operators } from "@rai/export"
import { Effect, Record } from "effect"
import type * as Arena from "./Arena.ts"
import type * as Job from "./Job.ts"
import * as Kernel from "./Kernel.ts"
import * as Partition from "./Partition.ts"
import * as Place from "./Place.ts"
import * as Shares from "./Shares.ts"
import * as Views from "./Views.ts"
import * as Wasm from "./Wasm.ts"

/** A session's entries by name. */
export type State = ReadonlyMap<string, Place.Place>

/** A program for which all places are settled. */
export interface Compiled {
  readonly job: Job.Job
  /** Inputs that a run is given, by name; the others are the state's. */
  readonly given: Readonly<Record<string, Place.Place>>
  /** Outputs that are not of the state. */
  readonly report: Readonly<Record<string, Place.Place>>
  /** Whether the places hold for a state and the inputs given with it. */
  readonly holds: (state: State, inputs: Engine.Arrays) => boolean
}

const kinds = { float: "float32", int: "int64", bool: "bool" } as const

const isInput = ({ primitive }: Tensor.Tensor): boolean => primitive.name === "input"

const nameOf = ({ attributes }: Tensor.Tensor): string => attributes.name as string

/** Lays out a program of known lengths for a state, for so many threads. */
export const make = Effect.fnUntraced(function* (
  source: Program.Program,
  arena: Arena.Arena,
  state: State,
  inputs: Engine.Arrays,
  threads: number
) {
  const program = Simplify.simplify(Rewrite.expand(source, (composite) => Operators.table.has(composite)))
  const { kernels, needed } = Partition.make(program)
  const passing = arena.passing()
  const placeFor = ({ dtype, shape }: Tensor.Tensor): Place.Place =>
    passing(shape as ReadonlyArray<number>, kinds[dtype])
  const given = Record.map(
    Record.filter(program.inputs, (_, name) => name in inputs),
    placeFor
  )

  const outputs = Object.entries(program.outputs)
  const read = new Set(program.nodes.filter(isInput).map(nameOf))
  const replaced = new Set(outputs.map(([name]) => name).filter((name) => state.has(name)))
  const bearers = Map.groupBy(outputs, ([, node]) => node)
  /** The entry that alone bears a result and is of its shape. */
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
  /** Where the numbers of a tensor are to be found. */
  const lay = (node: Tensor.Tensor): Place.Place => {
    const known = places.get(node)
    if (known !== undefined) return known
    const { base, offset } = Views.of(node)
    if (base !== node) return settle(node, Place.part(lay(base), offset, node.shape as ReadonlyArray<number>))
    if (isInput(node)) return settle(node, given[nameOf(node)] ?? state.get(nameOf(node))!)
    if (isJoined(node)) {
      const { after, before } = overhang(node)
      const size = before + Partition.sizeOf(node)! + after
      const shape = node.shape as ReadonlyArray<number>
      const place = Place.part(passing([size], kinds[node.dtype]), before, shape)
      fill(node, place, before, after)
      return settle(node, place)
    }
    const entry = entryOf(node)
    // What nothing reads may be overwritten at once.
    return compute(node, entry !== undefined && !read.has(entry[0]) ? entry[1] : placeFor(node))
  }
  /** Elements that lie around what is joined, where its first or last part is a stretch of something that is computed as a whole. */
  const overhang = (node: Tensor.Tensor): { readonly before: number; readonly after: number } => {
    const [first, last] = [Views.of(node.operands[0]!), Views.of(node.operands.at(-1)!)]
    const isFree = ({ base }: Views.View) => !isInput(base) && !places.has(base)
    return {
      before: isFree(first) ? first.offset : 0,
      after: isFree(last) ? beyond(last, node.operands.at(-1)!) : 0
    }
  }
  /** Has the numbers of a tensor put at a place, with so much room around it; the parts of what is joined are computed where they belong. */
  const fill = (node: Tensor.Tensor, place: Place.Place, before: number, after: number): void => {
    if (isJoined(node) && !places.has(node)) {
      let offset = 0
      for (const [i, operand] of node.operands.entries()) {
        const room = [i === 0 ? before : 0, i === node.operands.length - 1 ? after : 0] as const
        fill(operand, Place.part(place, offset, operand.shape as ReadonlyArray<number>), ...room)
        offset += Partition.sizeOf(operand)!
      }
      return
    }
    const view = Views.of(node)
    const { base, offset } = view
    if (places.has(node) || places.has(base) || isInput(base)) {
      gathers.push({ from: lay(node), to: place })
    } else if (offset <= before && beyond(view, node) <= after) {
      const whole = Place.part(place, -offset, base.shape as ReadonlyArray<number>)
      if (base !== node && isJoined(base)) fill(base, whole, before - offset, after - beyond(view, node))
      else compute(base, whole)
    } else {
      compute(node, place)
    }
  }

  // Results that passes write: into the entry itself where no one else reads it.
  const readers = new Map<string, Set<Kernel.Kernel>>()
  for (const kernel of kernels) {
    for (const operand of [...kernel.arrays, ...kernel.numbers]) {
      const { base } = Views.of(operand)
      if (!isInput(base)) continue
      // An entry that is read at another place than its beginning may be read after it was written.
      const isWhole = Partition.sizeOf(base) === Partition.sizeOf(operand) && kernel.arrays.includes(operand)
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

  const passes = kernels.map(
    ({ arrays, numbers, results, size }): Job.Pass => ({
      size: Math.ceil(size / 4) * 16,
      addresses: [...arrays, ...numbers, ...results].map((node) => lay(node).address)
    })
  )
  const moves: Array<Job.Move> = []
  const report: Record<string, Place.Place> = {}
  for (const [name, node] of outputs) {
    const { base } = Views.of(node)
    let from = lay(node)
    // What is replaced before it is passed on is kept apart.
    if (isInput(base) && replaced.has(nameOf(base))) {
      const apart = placeFor(node)
      gathers.push({ from, to: apart })
      from = apart
    }
    const entry = state.get(name)
    if (entry === undefined) report[name] = from
    else if (entry.address !== from.address) moves.push({ from, to: entry })
  }

  const shares = Shares.make([...computed.keys()], threads)
  const graphs = yield* Effect.forEach(shares, (stretches) =>
    graph(stretches, computed, lay, shares.length === 1 ? threads : 1)
  )
  const job: Job.Job = {
    graphs,
    gathers,
    module: kernels.length === 0 ? undefined : Wasm.module(kernels.map(Kernel.compile)),
    passes,
    moves
  }
  const names = new Set([...read, ...outputs.map(([name]) => name)])
  const settled = new Map([...names].map((name) => [name, state.get(name)]))
  const compiled: Compiled = {
    job,
    given,
    report,
    holds: (now, came) =>
      [...settled].every(([name, place]) => now.get(name) === place) &&
      [...read].every((name) => name in came === name in given) &&
      Object.entries(given).every(([name, { shape }]) => Shape.equals(shape, came[name]!.shape))
  }
  return compiled
})

/** How many elements a view's base has after it. */
const beyond = ({ base, offset }: Views.View, node: Tensor.Tensor): number =>
  Partition.sizeOf(base)! - offset - Partition.sizeOf(node)!

/** Stands for a reader that no pass is. */
const foreign = { size: 0, arrays: [], numbers: [], results: [], nodes: [] } satisfies Kernel.Kernel

const isJoined = (node: Tensor.Tensor): boolean =>
  node.primitive.name === "concat" && Views.isLeading(node, node.attributes.axis as number)

/** Nodes of a graph that takes the runtime longer to improve than the improvement saves. */
const many = 4000

/** One thread's stretches as a graph; whatever it reads is fed where it lies, parts of arrays too. */
const graph = Effect.fnUntraced(function* (
  stretches: ReadonlyArray<Shares.Stretch>,
  places: ReadonlyMap<Tensor.Tensor, Place.Place>,
  lay: (node: Tensor.Tensor) => Place.Place,
  threads: number
) {
  if (stretches.length === 0) return undefined
  const fetches: Record<string, Place.Place> = {}
  const outputs: Record<string, Tensor.Tensor> = {}
  stretches.forEach(({ from, node, of }, i) => {
    const row = Partition.sizeOf(of)! / (Number(of.shape[0] ?? 1) || 1)
    fetches[`result ${i}`] = Place.part(places.get(of)!, from * row, node.shape as ReadonlyArray<number>)
    outputs[`result ${i}`] = node
  })
  const feeds: Record<string, Place.Place> = {}
  const inputs: Record<string, Tensor.Tensor> = {}
  const fed = new Map<string, Tensor.Tensor>()
  const feed = (node: Tensor.Tensor): Tensor.Tensor => {
    const { base, offset } = Views.of(node)
    const name = `${nameOf(base)} ${offset} [${node.shape.join()}]`
    const known = fed.get(name) ?? Tensor.input(name, node.shape, node.dtype)
    fed.set(name, known)
    feeds[name] = Place.part(lay(base), offset, node.shape as ReadonlyArray<number>)
    inputs[name] = known
    return known
  }
  // From the results down, so that what is a view is fed and what it is a view of need not be.
  const made = new Map<Tensor.Tensor, Tensor.Tensor>()
  const pruned = Program.order(Object.values(outputs))
  for (const node of pruned) {
    const isView = isInput(Views.of(node).base)
    made.set(
      node,
      isView
        ? node
        : Rewrite.rebuild(
            node,
            node.operands.map((operand) => (isInput(Views.of(operand).base) ? feed(operand) : made.get(operand)!))
          )
    )
  }
  const program = Program.fromTensors(
    inputs,
    Record.map(outputs, (node) => (isInput(Views.of(node).base) ? feed(node) : made.get(node)!))
  )
  const model = Model.encode(yield* Graph.fromProgram(program), { version, metadata: {} })
  return { model, optimize: pruned.length < many, threads, feeds, fetches } satisfies Job.Graph
})
