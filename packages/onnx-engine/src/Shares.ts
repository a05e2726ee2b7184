/**
 * A graph divided among threads. The stages of a relaxed circuit do not wait for each other, so what is computed of them all at once, stacked on a
 * leading axis, can be computed in stretches of that axis, each by its own thread.
 */
import { Cost, Program, type Tensor } from "@rai/core"
import * as Known from "./Known.ts"
import * as Rows from "./Rows.ts"

/** A stretch of a result: rows `from` … `to` of its leading axis are what `node` computes. */
export interface Stretch {
  readonly of: Tensor.Tensor
  readonly from: number
  readonly node: Tensor.Tensor
}

/** Nodes of a graph, such as a chain of a thousand stages, that is not dealt out. */
const many = 4000

/** Below so many operations threads wait for each other longer than they compute. */
const few = 5e7

/** The most that the busiest thread may have left of the whole; with more, one thread with the runtime's own helpers is as quick. */
const worthwhile = 0.67

/** Whether there is enough to do for several threads, and not so many nodes that dealing them out takes longer than it saves. */
export const isWorthwhile = (nodes: ReadonlyArray<Tensor.Tensor>, threads: number): boolean =>
  threads > 1 && nodes.length < many && work(nodes) >= few

/** What each of `threads` computes of the results, in graphs one after the other; a single share where dividing does not pay. */
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
  const whole = (of: Tensor.Tensor): Stretch => ({ of, from: 0, node: part(of, 0, Known.rowsOf(of)) })
  const graphs = Math.ceil(Math.max(...results.map((of) => blocks(Known.rowsOf(of)))) / together)
  const shares = Array.from({ length: threads }, () => new Share(graphs))
  const nothing = Array.from({ length: graphs }, (): ReadonlyArray<Stretch> => [])
  const alone = (stretch: Stretch) =>
    shares.flatMap((_, i) =>
      [...new Set([0, graphs - 1])].map((graph) =>
        shares.map((_, j) => (i === j ? nothing.with(graph, [stretch]) : nothing))
      )
    )
  for (const of of results.toSorted((a, b) => Known.sizeOf(b) - Known.sizeOf(a))) {
    // What one stage hands back to the one before lies a row earlier, so a seam may lie beside the others'.
    const divided = [0, -1, 1].flatMap((shift) => {
      const rows = Known.rowsOf(of)
      const own = blocks(rows)
      if (rows < 2 * threads * own) return []
      const seams = Rows.seams(rows, threads * own).map((seam) => (seam === 0 || seam === rows ? seam : seam + shift))
      const stretches = seams.slice(1).map((to, i) => ({ of, from: seams[i]!, node: part(of, seams[i]!, to) }))
      const dealt = Rows.seams(own, graphs)
      return [
        shares.map((_, i) =>
          nothing.map((_, graph) => stretches.slice(i * own + dealt[graph]!, i * own + dealt[graph + 1]!))
        )
      ]
    })
    const ways = [...divided, ...alone(whole(of))].map((stretches) => {
      const loads = shares.map((share, i) => share.load + share.cost(stretches[i]!))
      // What is computed twice counts too, or threads would all compute everything.
      return { stretches, cost: 2 * Math.max(...loads) + loads.reduce((a, b) => a + b) }
    })
    const best = ways.reduce((a, b) => (b.cost < a.cost ? b : a))
    for (const [i, share] of shares.entries()) share.take(best.stretches[i]!)
  }
  const busiest = Math.max(...shares.map(({ load }) => load))
  return busiest > worthwhile * total
    ? single
    : shares.map(({ stretches }) => stretches.filter(({ length }) => length > 0))
}

/** Bytes of a stack of products that lie close to a core from one operation to the next. */
const close = 2 ** 19

/** The most blocks of one share: opening a graph takes the runtime longer than by its length. */
const mostBlocks = 48

/** The blocks of one graph: what they give is passed over while it is in a cache; a graph takes the runtime some time of its own. */
const together = 4

/** In how many blocks, one after the other, a thread computes its share of what is stacked so many rows high. */
const blocksOf = (nodes: ReadonlyArray<Tensor.Tensor>, threads: number) => {
  const largest = new Map<number, number>()
  for (const node of nodes) {
    if (node.primitive.name !== "matMul" || node.shape.length < 3) continue
    const rows = Known.rowsOf(node)
    largest.set(rows, Math.max(largest.get(rows) ?? 0, Known.sizeOf(node)))
  }
  return (rows: number): number => {
    const share = ((largest.get(rows) ?? 0) * Float32Array.BYTES_PER_ELEMENT) / threads
    const few = Math.max(1, Math.min(Math.round(share / close), mostBlocks, Math.floor(rows / (2 * threads))))
    // As many in each graph, so that most graphs are one model.
    const graphs = Math.ceil(few / together)
    return graphs * Math.ceil(few / graphs)
  }
}

/** What one thread has to do so far, in each of its graphs. */
class Share {
  readonly stretches: ReadonlyArray<Array<Stretch>>
  readonly #seen: ReadonlyArray<Set<Tensor.Tensor>>
  load = 0
  constructor(graphs: number) {
    this.stretches = Array.from({ length: graphs }, () => [])
    this.#seen = this.stretches.map(() => new Set())
  }
  /** What these need beyond what the graph has already. */
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
  /** The operations that these would add, for each graph its own. */
  cost(dealt: ReadonlyArray<ReadonlyArray<Stretch>>): number {
    return dealt.reduce((total, stretches, graph) => total + work(this.#further(stretches, graph)), 0)
  }
  take(dealt: ReadonlyArray<ReadonlyArray<Stretch>>): void {
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
