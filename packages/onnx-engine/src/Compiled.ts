/**
 * A program made ready for its threads: laid out, divided among them, and written as graphs and passes.
 */
import { Batch, Cost, type Engine, Program, Rewrite, Shape, Simplify, Tensor, version } from "@rai/core"
import { Graph, Model, Operators } from "@rai/export"
import { Effect, Record } from "effect"
import type * as Arena from "./Arena.ts"
import * as Deferred from "./Deferred.ts"
import * as Early from "./Early.ts"
import * as Examples from "./Examples.ts"
import type * as Job from "./Job.ts"
import * as Kernel from "./Kernel.ts"
import * as Known from "./Known.ts"
import * as Layout from "./Layout.ts"
import * as Place from "./Place.ts"
import * as Reuse from "./Reuse.ts"
import * as Shares from "./Shares.ts"
import * as Unconverted from "./Unconverted.ts"
import * as Views from "./Views.ts"
import * as Wasm from "./Wasm.ts"

/** A program for which all places are settled. */
export interface Compiled {
  readonly job: Job.Job
  /** Inputs that a run is given, by name; the others are the state's. */
  readonly given: Readonly<Record<string, Place.Place>>
  /** Outputs that are not of the state. */
  readonly report: Readonly<Record<string, Place.Place>>
  /** Where entries lie after a run that take another shape or type. */
  readonly reshaped: Readonly<Record<string, Place.Place>>
  /** Whether the places hold for a state and the inputs given with it. */
  readonly holds: (state: Layout.State, inputs: Engine.Arrays) => boolean
}

/** Makes a program of known lengths ready for a state, the inputs that come beside it, and so many threads. */
export const make: (
  source: Program.Program,
  arena: Arena.Arena,
  state: Layout.State,
  inputs: Engine.Arrays,
  threads: number
) => Effect.Effect<Compiled, Operators.OperatorUnsupported> = Effect.fnUntraced(
  function* (source, arena, state, inputs, threads) {
    const program = Simplify.simplify(Rewrite.expand(source, (composite) => Operators.table.has(composite)))
    const divided = (by: Program.Program) => {
      const layout = Layout.make(Deferred.make(Batch.batch(by)), arena, state, inputs)
      return { layout, shares: Shares.make([...layout.computed.keys()], threads) }
    }
    const byStages = divided(program)
    const mayShare = byStages.shares.length === 1 && Shares.isWorthwhile(program.nodes, threads)
    const byExamples = mayShare ? divided(Examples.divide(program, threads)) : byStages
    const { layout, shares } = byExamples.shares.length > 1 ? byExamples : byStages
    const { computed, gathers, given, kernels, moves, passes, placeOf, read, report, reshaped } = layout
    const models = new Map<string, Uint8Array>()
    const graphs = yield* Effect.forEach(shares, (own) =>
      Effect.forEach(own, (stretches) =>
        Effect.map(graph(stretches, computed, placeOf, shares.length === 1 ? threads : 1), (made) => {
          const bytes = Buffer.from(made.model).toString("latin1")
          const model = models.get(bytes) ?? made.model
          models.set(bytes, model)
          return { ...made, model }
        })
      )
    )
    const touching = graphs.map((own) => own.map(touched))
    const shared = passes.map((pass) => Early.make(pass, touching, gathers))
    const lasting = [...gathers, ...moves].flatMap(({ from, to }) => [from, to])
    const kept = [...state.values(), ...Object.values({ ...given, ...report, ...reshaped }), ...lasting]
    const reused = Reuse.make({ graphs, passes, shares: shared }, kept)
    const kernel = (of: Kernel.Kernel, i: number) => {
      const { numbers, read, written } = passes[i]!
      const known = read.map((address, array) => (reused.elsewhere[i]!.has(array) ? undefined : address))
      return Kernel.compile(of, { read: known, numbers, written })
    }
    const job: Job.Job = {
      graphs: reused.graphs,
      gathers,
      module: kernels.length === 0 ? undefined : Wasm.module(kernels.map(kernel)),
      passes: reused.shares,
      moves
    }
    const names = new Set([...read, ...Object.keys(program.outputs)])
    const settled = new Map([...names].map((name) => [name, state.get(name)]))
    const compiled: Compiled = {
      job,
      given,
      report,
      reshaped,
      holds: (now, came) =>
        [...settled].every(([name, place]) => now.get(name) === place) &&
        [...read].every((name) => name in came === name in given) &&
        Object.entries(given).every(([name, { shape }]) => Shape.equals(shape, came[name]!.shape))
    }
    return compiled
  }
)

const touched = ({ feeds, fetches }: Job.Graph): Early.Touched => ({
  reads: Object.values(feeds).map(Early.rangeOf),
  writes: Object.values(fetches).map(Early.rangeOf)
})

/** Nodes of a graph that takes the runtime longer to improve than the improvement saves. */
const many = 4000

/** Bytes on the way to a graph's results from which asking for them anew takes no time beside computing them. */
const large = 2 ** 26

/** Stretches as a graph; whatever it reads is fed where it lies, parts of arrays too. */
const graph = Effect.fnUntraced(function* (
  stretches: ReadonlyArray<Shares.Stretch>,
  places: ReadonlyMap<Tensor.Tensor, Place.Place>,
  placeOf: (node: Tensor.Tensor) => Place.Place,
  threads: number
) {
  const fetches: Record<string, Place.Place> = {}
  const outputs: Record<string, Tensor.Tensor> = {}
  stretches.forEach(({ from, node, of }, i) => {
    const row = Known.sizeOf(of) / (Known.rowsOf(of) || 1)
    fetches[`result ${i}`] = Place.part(places.get(of)!, from * row, Known.shapeOf(node))
    outputs[`result ${i}`] = node
  })
  const feeds: Record<string, Place.Place> = {}
  const inputs: Record<string, Tensor.Tensor> = {}
  const fed = new Map<string, Tensor.Tensor>()
  const feed = (node: Tensor.Tensor, place: Place.Place): Tensor.Tensor => {
    const key = `${place.kind} ${place.address} [${place.shape.join()}]`
    const known = fed.get(key)
    if (known !== undefined) return known
    // Not named for the place: graphs that differ in nothing else are to be one model.
    const name = `given ${fed.size}`
    const made = Tensor.input(name, node.shape, node.dtype)
    fed.set(key, made)
    feeds[name] = place
    inputs[name] = made
    return made
  }
  // What is a stretch of an input, or of inputs that follow each other, is fed; so what lies between need not be rebuilt.
  const given = new Map<Tensor.Tensor, Place.Place | undefined>()
  const made = new Map<Tensor.Tensor, Tensor.Tensor>()
  const remade = (node: Tensor.Tensor): Tensor.Tensor => {
    const place = given.get(node)
    return place === undefined ? made.get(node)! : feed(node, place)
  }
  const nodes = Program.order(Object.values(outputs))
  for (const node of nodes) {
    const { base, offset } = Views.of(node)
    const whole = Layout.isInput(base) ? placeOf(base) : base === node ? Layout.following(node, given) : given.get(base)
    given.set(node, whole && Place.part(whole, offset, Known.shapeOf(node)))
    if (whole === undefined) made.set(node, Rewrite.rebuild(node, node.operands.map(remade)))
  }
  const program = Program.fromTensors(inputs, Record.map(outputs, remade))
  const written = yield* Graph.fromProgram(program)
  written.node.push(Model.node("SequenceEmpty", Unconverted.name, [], Unconverted.name))
  written.output.unshift(Model.sequence(Unconverted.name))
  const model = Model.encode(written, { version, metadata: {} })
  const keeps = Cost.heldAsItIs(program) < large
  return { model, optimize: nodes.length < many, keeps, threads, feeds, fetches } satisfies Job.Graph
})
