/**
 * Operations that move numbers without calculating anything, so that every derivative is the reverse move.
 */
import type { Primitive } from "../Primitive.ts"
import * as Shape from "../Shape.ts"
import { ShapeMismatch } from "../ShapeMismatch.ts"

const numbers = (value: unknown): ReadonlyArray<number> => value as ReadonlyArray<number>

const sameType: NonNullable<Primitive["dtype"]> = ([x]) => x!.dtype

export const reshape: Primitive = {
  name: "reshape",
  shape: ([x], { to }) => {
    const shape = to as Shape.Shape
    if (!Shape.sameCount(x!.shape, shape)) {
      throw new ShapeMismatch({
        operation: "reshape",
        expected: `as many elements as ${Shape.show(x!.shape)}`,
        came: Shape.show(shape)
      })
    }
    return shape
  },
  takes: "same",
  dtype: sameType,
  derivative: (g, y) => [g.reshape(y.operands[0]!.shape)],
  cost: 0,
  tolerance: 0
}

/** Axis i of the result is axis `permutation[i]` of the operand. */
export const transpose: Primitive = {
  name: "transpose",
  shape: ([x], { permutation }) => {
    const axes = numbers(permutation)
    if ([...axes].sort((a, b) => a - b).join() !== x!.shape.map((_, i) => i).join()) {
      throw new ShapeMismatch({
        operation: "transpose",
        expected: `a permutation of the ${x!.shape.length} axes of ${Shape.show(x!.shape)}`,
        came: Shape.show(axes)
      })
    }
    return axes.map((axis) => x!.shape[axis]!)
  },
  takes: "same",
  dtype: sameType,
  derivative: (g, y) => {
    const axes = numbers(y.attributes.permutation)
    return [g.transpose(axes.map((_, i) => axes.indexOf(i)))]
  },
  cost: 0,
  tolerance: 0
}

/** Repeats along axes of length 1 and new leading axes; the derivative sums over them. */
export const broadcast: Primitive = {
  name: "broadcast",
  shape: ([x], { to }) => {
    const shape = to as Shape.Shape
    const common = Shape.broadcast(x!.shape, shape)
    if (common === undefined || !Shape.equals(common, shape)) {
      throw new ShapeMismatch({
        operation: "broadcast",
        expected: `a shape that broadcasts to ${Shape.show(shape)}`,
        came: Shape.show(x!.shape)
      })
    }
    return shape
  },
  takes: "same",
  dtype: sameType,
  derivative: (g, y) => {
    const x = y.operands[0]!
    const added = y.shape.length - x.shape.length
    const axes = y.shape.flatMap((n, axis) => (axis < added || (x.shape[axis - added] === 1 && n !== 1) ? [axis] : []))
    return [g.sum(axes).reshape(x.shape)]
  },
  cost: 0,
  tolerance: 0
}

export const concat: Primitive = {
  name: "concat",
  shape: (operands, { axis }) => {
    const [first, ...rest] = operands
    const along = axis as number
    let length: Shape.Dimension = first!.shape[along] ?? 0
    for (const { shape } of rest) {
      const fits = shape.length === first!.shape.length && shape.every((n, i) => i === along || n === first!.shape[i])
      const [m, n] = [length, shape[along]]
      if (!fits || typeof m !== "number" || typeof n !== "number") {
        throw new ShapeMismatch({
          operation: `concat along axis ${along}`,
          expected: Shape.show(first!.shape),
          came: Shape.show(shape)
        })
      }
      length = m + n
    }
    return first!.shape.map((n, i) => (i === along ? length : n))
  },
  takes: "same",
  dtype: sameType,
  derivative: (g, y) => {
    const axis = y.attributes.axis as number
    let start = 0
    return y.operands.map((operand) => {
      const length = operand.shape[axis] as number
      start += length
      return g.slice(axis, start - length, start)
    })
  },
  cost: 0,
  tolerance: 0
}

/** x[start … end) along one axis. */
export const slice: Primitive = {
  name: "slice",
  shape: ([x], attributes) => {
    const { axis, start, end } = attributes as { axis: number; start: number; end: number }
    const length = x!.shape[axis]
    if (typeof length !== "number" || start < 0 || end > length || start >= end) {
      throw new ShapeMismatch({
        operation: "slice",
        expected: `${start}…${end} to lie within axis ${axis}`,
        came: Shape.show(x!.shape)
      })
    }
    return x!.shape.map((n, i) => (i === axis ? end - start : n))
  },
  takes: "same",
  dtype: sameType,
  derivative: (g, y) => {
    const { axis, start, end } = y.attributes as { axis: number; start: number; end: number }
    return [g.pad(axis, start, (y.operands[0]!.shape[axis] as number) - end)]
  },
  cost: 0,
  tolerance: 0
}

/** Adds `before` and `after` zeros along one axis. */
export const pad: Primitive = {
  name: "pad",
  shape: ([x], attributes) => {
    const { axis, before, after } = attributes as { axis: number; before: number; after: number }
    const length = x!.shape[axis]
    if (typeof length !== "number") {
      throw new ShapeMismatch({ operation: "pad", expected: `a known axis ${axis}`, came: Shape.show(x!.shape) })
    }
    return x!.shape.map((n, i) => (i === axis ? length + before + after : n))
  },
  takes: "same",
  dtype: sameType,
  derivative: (g, y) => {
    const { axis, before } = y.attributes as { axis: number; before: number }
    return [g.slice(axis, before, before + (y.operands[0]!.shape[axis] as number))]
  },
  cost: 0,
  tolerance: 0
}
