/**
 * A program made ready in an arena: its graph opened by the runtime, its passes compiled.
 */
/// <reference path="./webassembly.d.ts" />
import { Cost, type Engine, type NdArray, Program, Rewrite, Simplify, type Tensor, version } from "@rai/core"
import { Graph, Model, Onnxruntime, Operators } from "@rai/export"
import { Effect, Record } from "effect"
import type * as Arena from "./Arena.ts"
import * as Kernel from "./Kernel.ts"
import * as Partition from "./Partition.ts"
import * as Wasm from "./Wasm.ts"

/** Entries by name: floats lie in the arena, where they stay; whatever is no float lies beside it. */
export type State = Map<string, Arena.Placed | NdArray.NdArray>

/** Runs the program on a state, which it changes, and further inputs; gives the outputs that are not of the state. */
export type Compiled = (
  state: State,
  inputs: Engine.Arrays
) => Effect.Effect<Engine.Arrays, Onnxruntime.OnnxruntimeFailed>

const isPlaced = (array: Arena.Placed | NdArray.NdArray | undefined): array is Arena.Placed =>
  array !== undefined && "address" in array

const isInput = ({ primitive }: Tensor.Tensor): boolean => primitive.name === "input"

const nameOf = ({ attributes }: Tensor.Tensor): string => attributes.name as string

/** The lengths, where all are known. */
const lengths = ({ dtype, shape }: Tensor.Tensor): ReadonlyArray<number> | undefined =>
  dtype === "float" && shape.every((n) => typeof n === "number") ? (shape as ReadonlyArray<number>) : undefined

/** A graph's results have names of their own, where a program's outputs may be named as its inputs are. */
const result = (output: string): string => `→ ${output}`

/** The program made ready; the scope holds the runtime's session. */
export const make = Effect.fnUntraced(function* (source: Program.Program, arena: Arena.Arena) {
  const program = Simplify.simplify(Rewrite.expand(source, (composite) => Operators.table.has(composite)))
  const { graph, kernels } = Partition.make(program)
  const computed = Record.filter(graph.outputs, (node) => !isInput(node))
  const opened =
    Object.keys(computed).length === 0 ? undefined : yield* open(Program.fromTensors(graph.inputs, computed))
  const passes = kernels.length === 0 ? [] : instantiate(kernels, arena)

  /** Where results lie until they are taken: of the graph, and of passes. */
  const places = new Map<Tensor.Tensor, Arena.Placed>()
  const placeOf = (node: Tensor.Tensor): Arena.Placed => {
    const place = places.get(node) ?? arena.array(lengths(node)!)
    places.set(node, place)
    return place
  }
  const outputs = Object.entries(program.outputs)
  const bearers = Map.groupBy(outputs, ([, node]) => node)
  const into = Record.map(
    Record.filter(computed, (node) => lengths(node) !== undefined),
    placeOf
  )

  const compiled: Compiled = Effect.fnUntraced(function* (state, inputs) {
    const given = (name: string) => inputs[name] ?? state.get(name)!
    // An entry that is passed on under another name may be replaced itself.
    const passed = outputs.filter(([, node]) => isInput(node) && nameOf(node) in program.outputs)
    const before = new Map(passed.map(([name, node]) => [name, copy(given(nameOf(node)))]))
    const feeds = Record.map(graph.inputs, (_, name) => given(name))
    const fresh = opened === undefined ? {} : yield* opened.run(feeds, Record.mapKeys(into, result))

    const addressOf = (node: Tensor.Tensor): number => {
      const own = isInput(node) ? given(nameOf(node)) : placeOf(node)
      if (isPlaced(own)) return own.address
      const copy = placeOf(node)
      copy.data.set(own.data)
      return copy.address
    }
    /** A pass writes to the entry itself where its result is one entry, and replaces what it has read. */
    const inPlace = new Set<string>()
    const target = (node: Tensor.Tensor): Arena.Placed => {
      const names = bearers.get(node)!.map(([name]) => name)
      const name = names[0]!
      const entry = state.get(name)
      if (names.length > 1 || !isPlaced(entry) || !fits(entry, node)) return placeOf(node)
      inPlace.add(name)
      return entry
    }
    kernels.forEach(({ arrays, numbers, results, size }, i) => {
      const addresses = [...arrays, ...numbers].map(addressOf)
      passes[i]!(Math.ceil(size / 4) * 16, ...addresses, ...results.map((node) => target(node).address))
    })

    const report: Record<string, NdArray.NdArray> = {}
    const value = ([name, node]: readonly [string, Tensor.Tensor]): NdArray.NdArray =>
      isInput(node) ? given(nameOf(node)) : (places.get(node) ?? fresh[result(name)]!)
    for (const output of outputs) {
      const [name, node] = output
      const entry = state.get(name)
      if (inPlace.has(name)) continue
      const array = before.get(name) ?? value(output)
      if (entry === undefined) report[name] = copy(array)
      else if (isPlaced(entry) && fits(entry, node)) entry.data.set(array.data)
      else state.set(name, owned(arena, array))
    }
    return report
  })
  return compiled
})

const open = Effect.fnUntraced(function* (graph: Program.Program) {
  const named = Program.fromTensors(graph.inputs, Record.mapKeys(graph.outputs, result))
  const model = Model.encode(yield* Graph.fromProgram(named), { version, metadata: {} })
  return yield* Onnxruntime.Onnxruntime.use((runtime) => runtime.open(model, "the program", threads(graph)))
})

/** Below so many operations threads wait for each other longer than they compute. */
const few = 5e7

const threads = (graph: Program.Program): number | undefined => {
  const isKnown = graph.nodes.every(({ shape }) => shape.every((n) => typeof n === "number"))
  return isKnown && Cost.cost(graph).flops < few ? 1 : undefined
}

type Pass = (bytes: number, ...addresses: ReadonlyArray<number>) => void

const instantiate = (kernels: ReadonlyArray<Kernel.Kernel>, { memory }: Arena.Arena): ReadonlyArray<Pass> => {
  const module = new WebAssembly.Module(Wasm.module(kernels.map(Kernel.compile)))
  const { exports } = new WebAssembly.Instance(module, { rai: { memory } })
  return kernels.map((_, i) => exports[i] as Pass)
}

const fits = (array: NdArray.NdArray, { dtype, shape }: Tensor.Tensor): boolean =>
  dtype === "float" && array.shape.length === shape.length && array.shape.every((n, i) => n === shape[i])

/** A copy in plain memory. */
export const copy = ({ data, shape }: NdArray.NdArray): NdArray.NdArray => ({ shape, data: data.slice() })

/** A copy in the arena, in the precision that the runtime computes in; what is no float beside it. */
export const owned = (arena: Arena.Arena, { data, shape }: NdArray.NdArray): Arena.Placed | NdArray.NdArray => {
  if (!(data instanceof Float64Array) && !(data instanceof Float32Array)) return { shape, data: data.slice() }
  const placed = arena.array(shape)
  placed.data.set(data)
  return placed
}
