/**
 * What a thread computes of a program, as graphs for the runtime: one or, if it is long, several, each continuing from the results of those before
 * it.
 */
import { Cost, Program, Rewrite, Tensor, version } from "@rai/core"
import { Graph, Model, type Operators } from "@rai/export"
import { Effect, type Record } from "effect"
import type * as Job from "./Job.ts"
import * as Known from "./Known.ts"
import type * as Layout from "./Layout.ts"
import * as Region from "./Region.ts"
import * as Rows from "./Rows.ts"
import type * as Shares from "./Shares.ts"
import * as Unconverted from "./Unconverted.ts"
import * as Views from "./Views.ts"

/** From this number of nodes on, optimising a graph takes the runtime longer than it saves. */
const long = 4000

/** Nodes of each of the graphs that a long one is split into: opening one takes the runtime time quadratic in them. */
const nodesEach = 1000

/** From this number of bytes on, allocating intermediate results anew takes negligible time beside computing them. */
const bytesReleased = 2 ** 26

/** A tensor, and where a graph writes it. */
type Result = readonly [node: Tensor.Tensor, region: Region.Region]

/** Writes stretches as graphs; their inputs, also parts of arrays, are fed from where they lie. */
export const make: (
  stretches: ReadonlyArray<Shares.Stretch>,
  layout: Layout.Layout,
  threads: number
) => Effect.Effect<ReadonlyArray<Job.Graph>, Operators.OperatorUnsupported> = Effect.fnUntraced(function* (
  stretches,
  { computed, regionFor, regionOf },
  threads
) {
  const asked = stretches.map(({ from, node, of }): Result => {
    const row = Known.sizeOf(of) / (Known.rowsOf(of) || 1)
    return [node, Region.part(computed.get(of)!, from * row, Known.shapeOf(node))]
  })
  const nodes = Program.order(asked.map(([node]) => node))
  const sections = sectionsOf(nodes)
  const handed = new Map([...handedOn(sections)].map((node) => [node, regionFor(node)]))
  // A view of an input, or of consecutive inputs, is fed directly, so the nodes in between need not be rebuilt.
  const given = new Map<Tensor.Tensor, Region.Region | undefined>()
  const graphs: Array<Job.Graph> = []
  for (const section of sections) {
    const own = new Set(section)
    const results = [...asked, ...handed].filter(([node]) => own.has(node))
    // Threads that spin after one graph would keep the next one's threads off the cores.
    const options = { optimize: nodes.length < long, threads, awake: sections.length === 1 }
    graphs.push(yield* graph(section, results, given, regionOf, options))
    for (const node of section) {
      const { base, offset } = Views.of(node)
      const whole = handed.get(base)
      if (whole !== undefined) given.set(node, Region.part(whole, offset, Known.shapeOf(node)))
    }
  }
  return graphs
})

/** All nodes in one section or, if they are many, in several. */
const sectionsOf = (nodes: ReadonlyArray<Tensor.Tensor>): ReadonlyArray<ReadonlyArray<Tensor.Tensor>> => {
  const seams = Rows.seams(nodes.length, nodes.length < long ? 1 : Math.ceil(nodes.length / nodesEach))
  return seams.slice(1).map((to, i) => nodes.slice(seams[i], to))
}

/** Tensors of one section that a later one reads, wholly or in part. */
const handedOn = (sections: ReadonlyArray<ReadonlyArray<Tensor.Tensor>>): ReadonlySet<Tensor.Tensor> => {
  const sectionOf = new Map(sections.flatMap((section, i) => section.map((node) => [node, i] as const)))
  const found = new Set<Tensor.Tensor>()
  for (const [node, section] of sectionOf) {
    for (const operand of node.operands) {
      if (sectionOf.get(operand) === section) continue
      const { base } = Views.of(operand)
      if (!Views.isInput(base)) found.add(base)
    }
  }
  return found
}

/** Writes a graph of nodes whose operands are all among them or given. */
const graph = Effect.fnUntraced(function* (
  nodes: ReadonlyArray<Tensor.Tensor>,
  results: ReadonlyArray<Result>,
  given: Map<Tensor.Tensor, Region.Region | undefined>,
  regionOf: (node: Tensor.Tensor) => Region.Region,
  options: Pick<Job.Graph, "optimize" | "threads" | "awake">
) {
  const feeds: Record<string, Region.Region> = {}
  const inputs: Record<string, Tensor.Tensor> = {}
  const fed = new Map<string, Tensor.Tensor>()
  const feed = (node: Tensor.Tensor, region: Region.Region): Tensor.Tensor => {
    const key = `${region.kind} ${region.address} [${region.shape.join()}]`
    const known = fed.get(key)
    if (known !== undefined) return known
    // Not named after the region, so that graphs that differ in nothing else are the same model.
    const name = `given ${fed.size}`
    const made = Tensor.input(name, node.shape, node.dtype)
    fed.set(key, made)
    feeds[name] = region
    inputs[name] = made
    return made
  }
  const made = new Map<Tensor.Tensor, Tensor.Tensor>()
  const remade = (node: Tensor.Tensor): Tensor.Tensor => {
    const region = given.get(node)
    return region === undefined ? made.get(node)! : feed(node, region)
  }
  for (const node of nodes) {
    const { base, offset } = Views.of(node)
    const whole = Views.isInput(base) ? regionOf(base) : base === node ? following(node, given) : given.get(base)
    given.set(node, whole && Region.part(whole, offset, Known.shapeOf(node)))
    if (whole === undefined) made.set(node, Rewrite.rebuild(node, node.operands.map(remade)))
  }
  const outputs = Object.fromEntries(results.map(([node], i) => [`result ${i}`, remade(node)]))
  const fetches = Object.fromEntries(results.map(([, region], i) => [`result ${i}`, region]))
  const program = Program.fromTensors(inputs, outputs)
  const written = yield* Graph.fromProgram(program)
  written.node.push(Model.node("SequenceEmpty", Unconverted.name, [], Unconverted.name))
  written.output.unshift(Model.sequence(Unconverted.name))
  const model = Model.encode(written, { version, metadata: {} })
  return { ...options, model, keeps: Cost.heldAsItIs(program) < bytesReleased, feeds, fetches } satisfies Job.Graph
})

/** Returns the region of a concatenation whose parts are already consecutive in memory; undefined otherwise. */
const following = (
  node: Tensor.Tensor,
  regions: ReadonlyMap<Tensor.Tensor, Region.Region | undefined>
): Region.Region | undefined => {
  if (!Views.isJoined(node)) return undefined
  const [first, ...others] = node.operands.map((operand) => regions.get(operand))
  let end = first && first.address + Region.bytes(first)
  for (const region of others) {
    if (region === undefined || region.address !== end) return undefined
    end += Region.bytes(region)
  }
  return first && { ...first, shape: Known.shapeOf(node) }
}
