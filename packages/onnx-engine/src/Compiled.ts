/**
 * A program prepared for its threads: laid out in memory, divided among them, and written as graphs and passes.
 */
import { Batch, type Engine, type Program, Rewrite, Shape, Simplify } from "@rai/core"
import { Operators } from "@rai/export"
import { Effect } from "effect"
import type * as Arena from "./Arena.ts"
import * as Deferred from "./Deferred.ts"
import * as Early from "./Early.ts"
import type * as Entries from "./Entries.ts"
import * as Examples from "./Examples.ts"
import * as Graphs from "./Graphs.ts"
import type * as Job from "./Job.ts"
import * as Kernel from "./Kernel.ts"
import * as Layout from "./Layout.ts"
import * as Range from "./Range.ts"
import type * as Region from "./Region.ts"
import * as Reuse from "./Reuse.ts"
import * as Shares from "./Shares.ts"
import * as Wasm from "./Wasm.ts"

/** A program whose regions are all fixed. */
export interface Compiled {
  readonly job: Job.Job
  /** Inputs passed with a run, by name; all others are entries of the state. */
  readonly given: Readonly<Record<string, Region.Region>>
  /** Outputs that are not entries of the state. */
  readonly report: Readonly<Record<string, Region.Region>>
  /** New regions of entries whose shape or type a run changes. */
  readonly reshaped: Readonly<Record<string, Region.Region>>
  /** Whether the regions are valid for a state and the inputs passed with it. */
  readonly holds: (state: Entries.State, inputs: Engine.Arrays) => boolean
}

/** Compiles a program of known lengths for a state, the inputs passed beside it, and a number of threads. */
export const make: (
  source: Program.Program,
  arena: Arena.Arena,
  state: Entries.State,
  inputs: Engine.Arrays,
  threads: number
) => Effect.Effect<Compiled, Operators.OperatorUnsupported> = Effect.fnUntraced(
  function* (source, arena, state, inputs, threads) {
    const program = Simplify.simplify(Rewrite.expand(source, (composite) => Operators.table.has(composite)))
    const { layout, shares } = divided(program, threads, (by) => Layout.make(by, arena, state, inputs))
    const { gathers, given, kernels, moves, passes, read, report, reshaped } = layout
    const helpers = shares.length === 1 ? threads : 1
    const graphs = sharingModels(
      yield* Effect.forEach(shares, (own) =>
        Effect.map(
          Effect.forEach(own, (stretches) => Graphs.make(stretches, layout, helpers)),
          (made) => made.flat()
        )
      )
    )
    const touching = graphs.map((own) => own.map(touched))
    const shared = passes.map((pass) => Early.make(pass, touching, gathers))
    const lasting = [...gathers, ...moves].flatMap(({ from, to }) => [from, to])
    const fed = graphs.flat().flatMap(({ feeds }) => Object.values(feeds))
    const kept = [...state.values(), ...Object.values({ ...given, ...report, ...reshaped }), ...lasting, ...fed]
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
        [...settled].every(([name, region]) => now.get(name) === region) &&
        [...read].every((name) => name in came === name in given) &&
        Object.entries(given).every(([name, { shape }]) => Shape.equals(shape, came[name]!.shape))
    }
    return compiled
  }
)

/**
 * Lays a program out and divides its graph: by stages or, where that leaves one thread alone with work for several, by examples if these can be
 * divided.
 */
const divided = (program: Program.Program, threads: number, laidOut: (by: Program.Program) => Layout.Layout) => {
  const dividing = (by: Program.Program) => {
    const layout = laidOut(Deferred.make(Batch.batch(by)))
    return { layout, shares: Shares.make([...layout.computed.keys()], threads) }
  }
  const byStages = dividing(program)
  if (byStages.shares.length > 1 || !Shares.isWorthwhile(program.nodes, threads)) return byStages
  const byExamples = dividing(Examples.divide(program, threads))
  return byExamples.shares.length > 1 ? byExamples : byStages
}

/** Makes equal models one array, which stays one in messages to the threads, so that each opens it once. */
const sharingModels = (graphs: ReadonlyArray<ReadonlyArray<Job.Graph>>): ReadonlyArray<ReadonlyArray<Job.Graph>> => {
  const models = new Map<string, Uint8Array>()
  return graphs.map((own) =>
    own.map((graph) => {
      const bytes = Buffer.from(graph.model).toString("latin1")
      const model = models.get(bytes) ?? graph.model
      models.set(bytes, model)
      return { ...graph, model }
    })
  )
}

const touched = ({ feeds, fetches }: Job.Graph): Early.Touched => ({
  reads: Object.values(feeds).map(Range.of),
  writes: Object.values(fetches).map(Range.of)
})
