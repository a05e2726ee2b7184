/**
 * A graph divided among threads. The stages of a relaxed circuit do not wait for each other, so what is computed of them all at once, stacked on a
 * leading axis, can be computed in stretches of that axis, each by its own thread.
 */
import { Cost, NdArray, Program, Rewrite, Shape, Simplify, Tensor } from "@rai/core"

/** A stretch of a result: rows `from` … `to` of its leading axis are what `node` computes. */
export interface Stretch {
  readonly of: Tensor.Tensor
  readonly from: number
  readonly node: Tensor.Tensor
}

/** Below so many operations threads wait for each other longer than they compute. */
const few = 5e7

/** The most that the busiest thread may have left of the whole; with more, one thread with the runtime's own helpers is as quick. */
const worthwhile = 0.75

/** For each of `threads` what it computes of the results; a single share where dividing does not pay. */
export const make = (results: ReadonlyArray<Tensor.Tensor>, threads: number): ReadonlyArray<ReadonlyArray<Stretch>> => {
  const single = [results.map((of): Stretch => ({ of, from: 0, node: of }))]
  const total = work(Program.order(results))
  if (threads < 2 || total < few) return single
  const part = parts(threads)
  // Operands before results: a circuit of a thousand stages is deeper than the call stack.
  for (const node of Program.order(results)) part(node, 0, rows(node))
  const whole = (of: Tensor.Tensor): Stretch => ({ of, from: 0, node: part(of, 0, rows(of)) })
  const shares = Array.from({ length: threads }, () => new Share())
  const each = (stretch: Stretch) => shares.map((_, i) => shares.map((_, j) => (i === j ? [stretch] : [])))
  for (const of of results.toSorted((a, b) => size(b) - size(a))) {
    // What one stage hands back to the one before lies a row earlier, so a seam may lie beside the others'.
    const divided = [0, -1, 1].flatMap((shift) => {
      if (rows(of) < 2 * threads) return []
      const seams = seamsOf(rows(of), threads).map((seam, i) => (i % threads === 0 ? seam : seam + shift))
      return [shares.map((_, i) => [{ of, from: seams[i]!, node: part(of, seams[i]!, seams[i + 1]!) }])]
    })
    const ways = [...divided, ...each(whole(of))].map((stretches) => {
      const loads = shares.map((share, i) => share.load + share.cost(stretches[i]!))
      return { stretches, busiest: Math.max(...loads), sum: loads.reduce((a, b) => a + b) }
    })
    const best = ways.reduce((a, b) => (b.busiest < a.busiest || (b.busiest === a.busiest && b.sum < a.sum) ? b : a))
    for (const [i, share] of shares.entries()) share.take(best.stretches[i]!)
  }
  const busiest = Math.max(...shares.map(({ load }) => load))
  return busiest > worthwhile * total ? single : shares.map(({ stretches }) => stretches)
}

/** What one thread has to do so far. */
class Share {
  readonly stretches: Array<Stretch> = []
  readonly #seen = new Set<Tensor.Tensor>()
  load = 0
  /** What these need beyond what is there already. */
  #further(stretches: ReadonlyArray<Stretch>): ReadonlySet<Tensor.Tensor> {
    const found = new Set<Tensor.Tensor>()
    const pending = stretches.map(({ node }) => node)
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (found.has(node) || this.#seen.has(node)) continue
      found.add(node)
      pending.push(...node.operands)
    }
    return found
  }
  /** The operations that these would add. */
  cost(stretches: ReadonlyArray<Stretch>): number {
    return work(this.#further(stretches))
  }
  take(stretches: ReadonlyArray<Stretch>): void {
    const further = this.#further(stretches)
    this.load += work(further)
    for (const node of further) this.#seen.add(node)
    this.stretches.push(...stretches)
  }
}

/** Where so many rows are divided: 0, …, rows. */
const seamsOf = (rows: number, threads: number): ReadonlyArray<number> =>
  Array.from({ length: threads + 1 }, (_, i) => Math.round((i * rows) / threads))

const numeric = (node: Tensor.Tensor): ReadonlyArray<number> => node.shape as ReadonlyArray<number>

const size = (node: Tensor.Tensor): number => NdArray.size(numeric(node))

const rows = (node: Tensor.Tensor): number => numeric(node)[0] ?? 1

const work = (nodes: Iterable<Tensor.Tensor>): number => {
  let total = 0
  for (const node of nodes) total += Cost.flops(node)
  return total
}

/** Of the primitives, those whose operands are of the result's shape work on each number by itself. */
const isElementwise = ({ operands, primitive, shape }: Tensor.Tensor): boolean =>
  primitive.definition === undefined && operands.every((operand) => Shape.equals(operand.shape, shape))

/** Rows `from` … `to` of a tensor's leading axis, computed from those rows of its operands alone wherever that can be. */
type Part = (node: Tensor.Tensor, from: number, to: number) => Tensor.Tensor

const parts = (threads: number): Part => {
  const known = new Map<string, Tensor.Tensor>()
  const numbers = new Map<Tensor.Tensor, number>()
  const part: Part = (node, from, to) => {
    const number = numbers.get(node) ?? numbers.size
    numbers.set(node, number)
    const key = `${number} ${from} ${to}`
    const isWhole = from === 0 && to === rows(node)
    const made = known.get(key) ?? (isWhole ? whole(node) : stretch(node, from, to))
    known.set(key, made)
    return made
  }
  /** All rows; what of it reads a stretch of something else is pushed down there too. */
  const whole = (node: Tensor.Tensor): Tensor.Tensor => {
    const { attributes, operands, primitive } = node
    const isCut = primitive.name === "slice" && attributes.axis === 0
    const [start, end] = [attributes.start as number, attributes.end as number]
    if (isCut) return part(operands[0]!, start, end)
    return Rewrite.rebuild(
      node,
      operands.map((operand) => part(operand, 0, rows(operand)))
    )
  }
  const cutOut = (node: Tensor.Tensor, from: number, to: number) => part(node, 0, rows(node)).slice(0, from, to)
  const stretch = (node: Tensor.Tensor, from: number, to: number): Tensor.Tensor => {
    const { attributes, operands, primitive } = node
    const [operand] = operands
    const shape = [to - from, ...numeric(node).slice(1)]
    const constant = Simplify.filledWith(node)
    if (constant !== undefined) return Tensor.constant(constant).broadcastTo(shape)
    const each = () =>
      Rewrite.rebuild(
        node,
        operands.map((other) => part(other, from, to))
      )
    switch (primitive.name) {
      case "reshape": {
        const [own, others] = [size(node) / rows(node), size(operand!) / rows(operand!)]
        const [start, end] = [(from * own) / others, (to * own) / others]
        const fits = Number.isInteger(start) && Number.isInteger(end)
        return fits ? part(operand!, start, end).reshape(shape) : cutOut(node, from, to)
      }
      case "broadcast": {
        const isOwn = operand!.shape.length === shape.length && rows(operand!) === rows(node)
        return part(operand!, isOwn ? from : 0, isOwn ? to : rows(operand!)).broadcastTo(shape)
      }
      case "slice":
      case "pad":
      case "concat":
        return attributes.axis === 0 ? along(node, from, to) : each()
      case "matMul": {
        if (shape.length === 2) return cutOut(node, from, to)
        // A product is computed once for all rows of a share, whichever of them are asked for.
        const seams = seamsOf(rows(node), threads)
        const end = seams.findIndex((seam) => to <= seam)
        const [first, last] = [seams[end - 1]!, seams[end]!]
        const isWithin = first <= from && last - first > to - from
        return isWithin ? part(node, first, last).slice(0, from - first, to - first) : each()
      }
      case "sum":
      case "max":
        return (attributes.axes as ReadonlyArray<number>).includes(0) ? cutOut(node, from, to) : each()
      case "transpose":
        return (attributes.permutation as ReadonlyArray<number>)[0] === 0 ? each() : cutOut(node, from, to)
      case "input":
      case "argMax":
        return cutOut(node, from, to)
      default:
        return isElementwise(node) ? each() : cutOut(node, from, to)
    }
  }
  const along = (
    { attributes, operands, primitive, shape }: Tensor.Tensor,
    from: number,
    to: number
  ): Tensor.Tensor => {
    const [operand] = operands
    if (primitive.name === "slice") {
      const start = attributes.start as number
      return part(operand!, start + from, start + to)
    }
    const zeros = (count: number): ReadonlyArray<Tensor.Tensor> =>
      count === 0 ? [] : [Tensor.constant(0).broadcastTo([count, ...shape.slice(1)])]
    const pieces =
      primitive.name === "concat"
        ? operands
        : [...zeros(attributes.before as number), operand!, ...zeros(attributes.after as number)]
    let end = 0
    const touched = pieces.flatMap((piece) => {
      const start = end
      end += rows(piece)
      return start < to && end > from ? [part(piece, Math.max(from - start, 0), Math.min(to, end) - start)] : []
    })
    return Tensor.concat(touched, 0)
  }
  return part
}
