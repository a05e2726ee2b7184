/**
 * Stretches of a tensor's leading axis, computed from only those rows of its operands wherever possible.
 */
import { Rewrite, Shape, Simplify, Tensor } from "@rai/core"
import * as Known from "./Known.ts"

/** Returns the boundaries of `rows` divided into `shares`: 0, …, rows. */
export const seams = (rows: number, shares: number): ReadonlyArray<number> =>
  Array.from({ length: shares + 1 }, (_, i) => Math.round((i * rows) / shares))

/** Whether a node is elementwise, as primitives are whose operands have the result's shape. */
const isElementwise = ({ operands, primitive, shape }: Tensor.Tensor): boolean =>
  primitive.definition === undefined && operands.every((operand) => Shape.equals(operand.shape, shape))

/** Computes rows `from` … `to` of a tensor's leading axis from only those rows of its operands wherever possible. */
export type Part = (node: Tensor.Tensor, from: number, to: number) => Tensor.Tensor

/** Creates a `Part` that reuses what it has made; `shares` gives the number of shares for a number of rows. */
export const parts = (shares: (rows: number) => number): Part => {
  const known = new Map<string, Tensor.Tensor>()
  const numbers = new Map<Tensor.Tensor, number>()
  const keyOf = (node: Tensor.Tensor, from: number, to: number): string => {
    const number = numbers.get(node) ?? numbers.size
    numbers.set(node, number)
    return `${number} ${from} ${to}`
  }
  const part: Part = (node, from, to) => {
    const key = keyOf(node, from, to)
    const isWhole = from === 0 && to === Known.rowsOf(node)
    const made = known.get(key) ?? (isWhole ? whole(node) : stretch(node, from, to))
    known.set(key, made)
    // A part made here already reads no more than it needs.
    known.set(keyOf(made, 0, Known.rowsOf(made)), made)
    return made
  }
  /** All rows of a node; slices along the leading axis are pushed down to what they read. */
  const whole = (node: Tensor.Tensor): Tensor.Tensor => {
    const { attributes, operands, primitive } = node
    const isCut = primitive.name === "slice" && attributes.axis === 0
    const [start, end] = [attributes.start as number, attributes.end as number]
    if (isCut) return part(operands[0]!, start, end)
    return Rewrite.rebuild(
      node,
      operands.map((operand) => part(operand, 0, Known.rowsOf(operand)))
    )
  }
  const cutOut = (node: Tensor.Tensor, from: number, to: number) => part(node, 0, Known.rowsOf(node)).slice(0, from, to)
  const stretch = (node: Tensor.Tensor, from: number, to: number): Tensor.Tensor => {
    const { attributes, operands, primitive } = node
    const [operand] = operands
    const shape = [to - from, ...Known.shapeOf(node).slice(1)]
    const constant = Simplify.filledWith(node)
    if (constant !== undefined) return Tensor.constant(constant).broadcastTo(shape)
    const each = () =>
      Rewrite.rebuild(
        node,
        operands.map((other) => part(other, from, to))
      )
    switch (primitive.name) {
      case "reshape": {
        const [own, others] = [Known.sizeOf(node) / Known.rowsOf(node), Known.sizeOf(operand!) / Known.rowsOf(operand!)]
        const [start, end] = [(from * own) / others, (to * own) / others]
        const fits = Number.isInteger(start) && Number.isInteger(end)
        return fits ? part(operand!, start, end).reshape(shape) : cutOut(node, from, to)
      }
      case "broadcast": {
        const isOwn = operand!.shape.length === shape.length && Known.rowsOf(operand!) === Known.rowsOf(node)
        return part(operand!, isOwn ? from : 0, isOwn ? to : Known.rowsOf(operand!)).broadcastTo(shape)
      }
      case "slice":
      case "pad":
      case "concat":
        return attributes.axis === 0 ? along(node, from, to) : each()
      case "matMul": {
        // Rows of a matrix product depend on only those rows of its left factor.
        const isOwn = shape.length > 2 || attributes.transposeA === false
        if (!isOwn) return cutOut(node, from, to)
        // A product is computed once for all rows of a share, whichever of them are requested.
        const rows = Known.rowsOf(node)
        const all = seams(rows, shares(rows))
        const end = all.findIndex((seam) => to <= seam)
        const [first, last] = [all[end - 1]!, all[end]!]
        const isWithin = first <= from && last - first > to - from
        if (isWithin) return part(node, first, last).slice(0, from - first, to - first)
        const [left, right] = operands as readonly [Tensor.Tensor, Tensor.Tensor]
        return shape.length > 2
          ? each()
          : Rewrite.rebuild(node, [part(left, from, to), part(right, 0, Known.rowsOf(right))])
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
      end += Known.rowsOf(piece)
      return start < to && end > from ? [part(piece, Math.max(from - start, 0), Math.min(to, end) - start)] : []
    })
    return Tensor.concat(touched, 0)
  }
  return part
}
