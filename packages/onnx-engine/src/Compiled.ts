/**
 * A program made ready in an arena: its graph opened by the runtime, its passes compiled.
 */
/// <reference path="./webassembly.d.ts" />
import { Cost, type Engine, type NdArray, Program, Rewrite, Shape, Simplify, type Tensor, version } from "@rai/core"
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
    const place = places.get(node) ?? arena.array(node.shape as ReadonlyArray<number>)
    places.set(node, place)
    return place
  }
  const outputs = Object.entries(program.outputs)
  const bearers = Map.groupBy(outputs, ([, node]) => node)
  // An entry that is passed on under another name may be replaced itself.
  const passed = outputs.filter(([, node]) => isInput(node) && nameOf(node) in program.outputs)
  const placed = Record.filter(computed, (node) => node.dtype === "float" && Partition.sizeOf(node) !== undefined)
  const into = Record.mapKeys(Record.map(placed, placeOf), result)

  const compiled: Compiled = Effect.fnUntraced(function* (state, inputs) {
    const given = (name: string) => inputs[name] ?? state.get(name)!
    const before = new Map(passed.map(([name, node]) => [name, copy(given(nameOf(node)))]))
    const feeds = Record.map(graph.inputs, (_, name) => given(name))
    const fresh = opened === undefined ? {} : yield* opened.run(feeds, into)

    const addressOf = (node: Tensor.Tensor): number => {
      const own = isInput(node) ? given(nameOf(node)) : placeOf(node)
      if (isPlaced(own)) return own.address
      const place = placeOf(node)
      place.data.set(own.data)
      return place.address
    }
    /** A pass writes to the entry itself where its result is one entry, and replaces what it has read. */
    const inPlace = new Set<string>()
    const target = (node: Tensor.Tensor): Arena.Placed => {
      const names = bearers.get(node)!.map(([name]) => name)
      const name = names[0]!
      const entry = state.get(name)
      if (names.length > 1 || !isPlaced(entry) || !Shape.equals(entry.shape, node.shape)) return placeOf(node)
      inPlace.add(name)
      return entry
    }
    kernels.forEach(({ arrays, numbers, results, size }, i) => {
      const addresses = [...arrays, ...numbers].map(addressOf)
      passes[i]!(Math.ceil(size / 4) * 16, ...addresses, ...results.map((node) => target(node).address))
    })

    const report: Record<string, NdArray.NdArray> = {}
    for (const [name, node] of outputs) {
      if (inPlace.has(name)) continue
      const own = isInput(node) ? given(nameOf(node)) : (places.get(node) ?? fresh[result(name)]!)
      const array = before.get(name) ?? own
      if (state.has(name)) put(arena, state, name, array)
      else report[name] = copy(array)
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
  const isKnown = graph.nodes.every((node) => Partition.sizeOf(node) !== undefined)
  return isKnown && Cost.cost(graph).flops < few ? 1 : undefined
}

type Pass = (bytes: number, ...addresses: ReadonlyArray<number>) => void

const instantiate = (kernels: ReadonlyArray<Kernel.Kernel>, { memory }: Arena.Arena): ReadonlyArray<Pass> => {
  const module = new WebAssembly.Module(Wasm.module(kernels.map(Kernel.compile)))
  const { exports } = new WebAssembly.Instance(module, { rai: { memory } })
  return kernels.map((_, i) => exports[i] as Pass)
}

/** A copy in plain memory. */
export const copy = ({ data, shape }: NdArray.NdArray): NdArray.NdArray => ({ shape, data: data.slice() })

const isFloat = ({ data }: NdArray.NdArray): boolean => data instanceof Float64Array || data instanceof Float32Array

/** Sets an entry to a copy of the array, of floats in the arena, where it stays as long as it keeps its shape. */
export const put = (arena: Arena.Arena, state: State, name: string, array: NdArray.NdArray): void => {
  if (!isFloat(array)) return void state.set(name, copy(array))
  const before = state.get(name)
  const stays = isPlaced(before) && Shape.equals(before.shape, array.shape)
  const place = stays ? before : arena.array(array.shape)
  place.data.set(array.data)
  state.set(name, place)
}
