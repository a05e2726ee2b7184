/**
 * A graph divided among threads. The stages of a relaxed circuit do not depend on each other, so what is computed for all of them at once, stacked
 * on a leading axis, can be computed in stretches of that axis, each by its own thread.
 */
import { Cost, Program, type Tensor } from "@rai/core"
import * as Known from "./Known.ts"
import * as Rows from "./Rows.ts"

/** A stretch of a result: `node` computes its rows from `from` on, along the leading axis. */
export interface Stretch {
  readonly of: Tensor.Tensor
  readonly from: number
  readonly node: Tensor.Tensor
}

/** A graph of so many nodes, such as a chain of a thousand stages, is not divided. */
const mostNodes = 4000

/** With fewer operations, threads wait for each other longer than they compute. */
const leastOperations = 5e7

/** Largest part of the whole that may be left to the busiest thread; above it, one thread with the runtime's own helpers is as fast. */
const largestPart = 0.67

/** Whether there is enough work for several threads, and few enough nodes that dividing them takes less time than it saves. */
export const isWorthwhile = (nodes: ReadonlyArray<Tensor.Tensor>, threads: number): boolean =>
  threads > 1 && nodes.length < mostNodes && work(nodes) >= leastOperations

/** Returns what each of `threads` computes of the results, in successive graphs; a single share where dividing does not pay. */
export const make = (
  results: ReadonlyArray<Tensor.Tensor>,
  threads: number
): ReadonlyArray<ReadonlyArray<ReadonlyArray<Stretch>>> => {
  const single = [[results.map((of): Stretch => ({ of, from: 0, node: of }))]]
  const needed = Program.order(results)
  if (!isWorthwhile(needed, threads)) return single
  const total = work(needed)
  const blocks = blocksOf(needed, threads)
  const part = Rows.parts((rows) => threads * blocks(rows))
  // Operands before results: a circuit of a thousand stages is deeper than the call stack.
  for (const node of needed) part(node, 0, Known.rowsOf(node))
  const graphs = Math.ceil(Math.max(...results.map((of) => blocks(Known.rowsOf(of)))) / blocksOfGraph)
  const shares = Array.from({ length: threads }, () => new Share(graphs))
  for (const of of results.toSorted((a, b) => Known.sizeOf(b) - Known.sizeOf(a))) {
    const ways = [
      ...inStretches(of, { threads, graphs, blocks: blocks(Known.rowsOf(of)), part }),
      ...asAWhole({ of, from: 0, node: part(of, 0, Known.rowsOf(of)) }, threads, graphs)
    ].map((way) => {
      const loads = shares.map((share, i) => share.load + share.cost(way[i]!))
      // Duplicated work counts too, or every thread would compute everything.
      return { way, cost: 2 * Math.max(...loads) + loads.reduce((a, b) => a + b) }
    })
    const best = ways.reduce((a, b) => (b.cost < a.cost ? b : a))
    for (const [i, share] of shares.entries()) share.take(best.way[i]!)
  }
  const busiest = Math.max(...shares.map(({ load }) => load))
  return busiest > largestPart * total
    ? single
    : shares.map(({ stretches }) => stretches.filter(({ length }) => length > 0))
}

/** What one thread computes of a result, in each of its graphs. */
type Dealt = ReadonlyArray<ReadonlyArray<Stretch>>

/** A way to compute a result: what each thread computes of it. */
type Way = ReadonlyArray<Dealt>

/** Ways to compute a result in stretches of equal length, so many blocks for each thread; none where it has too few rows. */
const inStretches = (
  of: Tensor.Tensor,
  settings: { readonly threads: number; readonly graphs: number; readonly blocks: number; readonly part: Rows.Part }
): ReadonlyArray<Way> => {
  const { blocks, graphs, part, threads } = settings
  const rows = Known.rowsOf(of)
  if (rows < 2 * threads * blocks) return []
  // What a stage passes back to the one before lies a row earlier, so boundaries may be off by one row from those of other results.
  return [0, -1, 1].map((shift) => {
    const seams = Rows.seams(rows, threads * blocks).map((seam) => (seam === 0 || seam === rows ? seam : seam + shift))
    const stretches = seams.slice(1).map((to, i) => ({ of, from: seams[i]!, node: part(of, seams[i]!, to) }))
    const dealt = Rows.seams(blocks, graphs)
    return Array.from({ length: threads }, (_, thread) => {
      const first = thread * blocks
      return dealt.slice(1).map((end, graph) => stretches.slice(first + dealt[graph]!, first + end))
    })
  })
}

/** Ways to compute a result as a whole: on any one thread, in its first graph or its last. */
const asAWhole = (whole: Stretch, threads: number, graphs: number): ReadonlyArray<Way> => {
  const nothing: Dealt = Array.from({ length: graphs }, () => [])
  const idle: Way = Array.from({ length: threads }, () => nothing)
  return idle.flatMap((_, thread) =>
    [...new Set([0, graphs - 1])].map((graph) => idle.with(thread, nothing.with(graph, [whole])))
  )
}

/** A stack of products of so many bytes stays in a core's cache from one operation to the next. */
const bytesOfBlock = 2 ** 19

/** Most blocks of one share: the time that the runtime takes to open a graph grows faster than its length. */
const mostBlocks = 48

/** Blocks of one graph: passes process their results while these are in cache, but each graph costs the runtime some time of its own. */
const blocksOfGraph = 4

/** Returns the number of successive blocks in which a thread computes its share of a stack of a given number of rows. */
const blocksOf = (nodes: ReadonlyArray<Tensor.Tensor>, threads: number) => {
  const largest = new Map<number, number>()
  for (const node of nodes) {
    if (node.primitive.name !== "matMul" || node.shape.length < 3) continue
    const rows = Known.rowsOf(node)
    largest.set(rows, Math.max(largest.get(rows) ?? 0, Known.sizeOf(node)))
  }
  return (rows: number): number => {
    const share = ((largest.get(rows) ?? 0) * Float32Array.BYTES_PER_ELEMENT) / threads
    const wanted = Math.max(1, Math.min(Math.round(share / bytesOfBlock), mostBlocks, Math.floor(rows / (2 * threads))))
    // Equally many in each graph, so that most graphs are the same model.
    const graphs = Math.ceil(wanted / blocksOfGraph)
    return graphs * Math.ceil(wanted / graphs)
  }
}

/** Work of one thread so far, in each of its graphs. */
class Share {
  readonly stretches: ReadonlyArray<Array<Stretch>>
  readonly #seen: ReadonlyArray<Set<Tensor.Tensor>>
  load = 0
  constructor(graphs: number) {
    this.stretches = Array.from({ length: graphs }, () => [])
    this.#seen = this.stretches.map(() => new Set())
  }
  /** Nodes that these need beyond those the graph already has. */
  #further(stretches: ReadonlyArray<Stretch>, graph: number): ReadonlySet<Tensor.Tensor> {
    const found = new Set<Tensor.Tensor>()
    const pending = stretches.map(({ node }) => node)
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (found.has(node) || this.#seen[graph]!.has(node)) continue
      found.add(node)
      pending.push(...node.operands)
    }
    return found
  }
  /** Number of operations that these would add, given for each graph. */
  cost(dealt: Dealt): number {
    return dealt.reduce((total, stretches, graph) => total + work(this.#further(stretches, graph)), 0)
  }
  take(dealt: Dealt): void {
    for (const [graph, stretches] of dealt.entries()) {
      const further = this.#further(stretches, graph)
      this.load += work(further)
      for (const node of further) this.#seen[graph]!.add(node)
      this.stretches[graph]!.push(...stretches)
    }
  }
}

const work = (nodes: Iterable<Tensor.Tensor>): number => {
  let total = 0
  for (const node of nodes) total += Cost.flops(node)
  return total
}
