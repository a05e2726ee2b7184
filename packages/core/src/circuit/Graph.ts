/**
 * A circuit that is a program, as an imported network is: one formula with named places, each of which can be cut.
 */
import type * as Program from "../program/Program.ts"
import * as Rewrite from "../program/Rewrite.ts"
import { show } from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import { Tensor } from "../tensor/Tensor.ts"
import type { Block, Parameter, Theta } from "./Block.ts"
import type { Elements } from "./Elements.ts"

/** A node of the network: its name, its operator, and the tensor that it computes. */
export interface Place {
  readonly name: string
  /** The operator, for example `Gemm`. */
  readonly kind: string
  readonly role: "map" | "activation" | "other"
  readonly result: Tensor
}

/** A program with inputs `x`: [batch, inputs] and the parameters by name, a single output `output`: [batch, outputs], and its places in order. */
export interface Graph {
  readonly program: Program.Program
  readonly places: ReadonlyArray<Place>
  readonly names?: Names | undefined
}

/** The names that the imported network itself uses, where the circuit has to use others, so that it can be written back as it was. */
export interface Names {
  readonly input: Input
  readonly output: End
  /** By the parameter's name in the circuit. */
  readonly parameters: Readonly<Record<string, string>>
}

/** The network's input; `elements` where it takes others than float32. */
export interface Input extends End {
  readonly elements?: Elements
}

/** Name of the network's input or output, with the shape of one example. */
export interface End {
  readonly name: string
  readonly example: ReadonlyArray<number>
}

/** Name of the batch dimension in a graph's program. */
export const batch = "batch"

/**
 * The block of a graph; `parameters` describes all of the program's inputs except `x`.
 *
 * ```ts
 * import { Circuit, Program } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const program = Effect.runSync(
 *   Program.make({ x: ["batch", 2], w: [2, 1] }, ({ x, w }) => ({ output: x.matMul(w).tanh() }))
 * )
 * const [product] = program.outputs.output!.operands
 * const places = [{ name: "first", kind: "MatMul", role: "map", result: product! }] as const
 * const w = { shape: [2, 1], role: "weight", fanIn: 2, fanOut: 1 } as const
 * Circuit.print(Circuit.graph({ program, places }, { w })) // => "graph 2→1"
 * ```
 */
export const make = (graph: Graph, parameters: Readonly<Record<string, Parameter>>): Block => {
  const inputs = graph.program.inputs.x!.shape[1] as number
  const outputs = graph.program.outputs.output!.shape[1] as number
  return {
    _tag: "Block",
    kind: "graph",
    settings: { inputs, outputs },
    parameters,
    apply: (z, θ) => evaluate(graph, z, θ),
    graph
  }
}

/** The output for z: [batch, inputs]; `at` returns the value to go on with after each place, given its prediction. */
export const evaluate = (
  { places, program }: Graph,
  z: Tensor,
  θ: Theta,
  at: (place: Place, prediction: Tensor) => Tensor = (_, prediction) => prediction
): Tensor => {
  const inputs = program.inputs.x!.shape[1]!
  const [examples] = z.shape
  if (z.shape.length !== 2 || z.shape[1] !== inputs) {
    throw new ShapeMismatch({ operation: "graph", expected: `[batch, ${inputs}]`, came: show(z.shape) })
  }
  const own = new Map(places.map((place) => [place.result, place]))
  return Rewrite.rewrite(program, (node, operands) => {
    const prediction = again(node, operands, examples!, (name) => (name === "x" ? z : θ[name]!))
    const place = own.get(node)
    return place === undefined ? prediction : at(place, prediction)
  }).outputs.output!
}

/** Rebuilds a node over other operands and for this number of examples. */
const again = (
  node: Tensor,
  operands: ReadonlyArray<Tensor>,
  examples: number | string,
  given: (name: string) => Tensor
): Tensor => {
  const { attributes, primitive } = node
  if (primitive.name === "input") return given(attributes.name as string)
  if (primitive.name !== "reshape" && primitive.name !== "broadcast") return Rewrite.rebuild(node, operands)
  const to = (attributes.to as ReadonlyArray<number | string>).map((n) => (n === batch ? examples : n))
  return new Tensor(primitive, operands, { to })
}

/** The parameters first used at each place, by its name; those used only after the last place belong to the last. */
export const shares = ({ graph, parameters }: Block): ReadonlyMap<string, Readonly<Record<string, Parameter>>> => {
  const { places } = graph!
  const results = new Set(places.map(({ result }) => result))
  const left = new Map(Object.entries(parameters))
  const found = new Map<string, Readonly<Record<string, Parameter>>>()
  places.forEach(({ name, result }, i) => {
    const nodes = within(result, (node) => node !== result && results.has(node))
    const own: Record<string, Parameter> = {}
    const used = i === places.length - 1 ? [...left.keys()] : nodes.map(({ attributes }) => attributes.name as string)
    for (const parameter of used) {
      const of = left.get(parameter)
      if (of !== undefined) own[parameter] = of
      left.delete(parameter)
    }
    found.set(name, own)
  })
  return found
}

/** Names of the places that count as the output: no parameter is trained after them, and every path to the output passes through them. */
export const outputs = ({ graph, parameters }: Block): ReadonlyArray<string> => {
  const { places, program } = graph!
  const end = program.outputs.output!
  const names: Array<string> = []
  for (const place of places.toReversed()) {
    const isOpen = reached(end, place.result).some(({ attributes, primitive }) => {
      const name = attributes.name as string
      return primitive.name === "input" && (name === "x" || parameters[name]?.role !== "statistic")
    })
    if (isOpen) break
    names.push(place.name)
  }
  return names
}

/** The nodes that `end` is computed from, back to `stop`. */
const reached = (end: Tensor, stop: Tensor): ReadonlyArray<Tensor> => within(end, (node) => node === stop)

/** The nodes that `end` is computed from, including `end`, back to those where `stops` holds, which are excluded. */
const within = (end: Tensor, stops: (node: Tensor) => boolean): ReadonlyArray<Tensor> => {
  const seen = new Set<Tensor>()
  const pending = [end]
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (stops(node) || seen.has(node)) continue
    seen.add(node)
    pending.push(...node.operands)
  }
  return [...seen]
}

/** What lies between a place, or the output, and the preceding places that it is computed from; undefined stands for the input. */
export interface Stretch {
  readonly from: ReadonlyArray<Place | undefined>
  readonly nodes: ReadonlyArray<Tensor>
}

/** The stretch between a result and the places before it. */
export const stretch = ({ places, program }: Graph, end: Tensor): Stretch => {
  const own = new Map(places.map((place) => [place.result, place]))
  const from = new Set<Place | undefined>()
  const nodes = within(end, (node) => {
    const place = node === end ? undefined : own.get(node)
    if (place !== undefined) from.add(place)
    else if (node === program.inputs.x) from.add(undefined)
    return place !== undefined
  })
  return { from: [...from], nodes }
}
