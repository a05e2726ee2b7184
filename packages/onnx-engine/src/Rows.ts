/**
 * Stretches of a tensor's leading axis, computed from those rows of its operands alone wherever that can be.
 */
import { Rewrite, Shape, Simplify, Tensor } from "@rai/core"
import * as Known from "./Known.ts"

/** Where so many rows are divided into so many shares: 0, …, rows. */
export const seams = (rows: number, shares: number): ReadonlyArray<number> =>
  Array.from({ length: shares + 1 }, (_, i) => Math.round((i * rows) / shares))

/** Of the primitives, those whose operands are of the result's shape work on each number by itself. */
const isElementwise = ({ operands, primitive, shape }: Tensor.Tensor): boolean =>
  primitive.definition === undefined && operands.every((operand) => Shape.equals(operand.shape, shape))

/** Rows `from` … `to` of a tensor's leading axis, computed from those rows of its operands alone wherever that can be. */
export type Part = (node: Tensor.Tensor, from: number, to: number) => Tensor.Tensor

/** Parts of tensors; `shares` says into how many so many rows are divided. */
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
    // What is made here reads no more than it needs already.
    known.set(keyOf(made, 0, Known.rowsOf(made)), made)
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
        // Rows of a product of matrices are those of its left factor.
        const isOwn = shape.length > 2 || attributes.transposeA === false
        if (!isOwn) return cutOut(node, from, to)
        // A product is computed once for all rows of a share, whichever of them are asked for.
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
