/**
 * Axes of the examples that a model joins with known ones, as PyTorch's attention does: [T, batch, H · D] → [T, batch · H, D]. In the formulas of the
 * rows such an axis has a name of its own, `batch·4`; in the program the known part of it is a leading axis, and the batch axis stands by itself.
 */
import { NdArray, Rewrite, type Shape, Tensor } from "@rai/core"
import { type Axis, axisOf, factorOf, nameOf } from "./JoinedAxis.ts"
import { Refused } from "./Refused.ts"
import { indexes, toFirst } from "./Taking.ts"

type T = Tensor.Tensor

/** Where a joined axis is, with its parts; undefined where there is none. */
const find = (shape: Shape.Shape): (Axis & { readonly at: number }) | undefined => {
  const at = shape.findIndex((n) => typeof n === "string" && factorOf(n) > 1)
  if (at < 0) return undefined
  if (shape.filter((n) => typeof n === "string").length > 1) throw new Refused(together)
  return { at, ...axisOf(shape[at] as string) }
}

/** What is wrong with an output that has joined axes. */
export const contradiction = (name: string, shape: Shape.Shape) =>
  find(shape) === undefined
    ? undefined
    : { expected: `an output «${name}» with one row an example`, came: `[${shape.join(",")}] comes out` }

const together = "it takes the examples of a batch together"

/** A reshape that joins axes with the batch axis, or parts them from it. */
const regroup: Tensor.Tensor["primitive"] = {
  name: "regroup",
  shape: (_, { to }) => to as Shape.Shape,
  takes: "same",
  dtype: ([x]) => x!.dtype,
  derivative: () => [],
  cost: 0,
  tolerance: 0
}

/** x in another shape, where axes may be joined. */
export const reshape = (x: T, to: Shape.Shape): T =>
  find(x.shape) === undefined && find(to) === undefined ? x.reshape(to) : new Tensor.Tensor(regroup, [x], { to })

/**
 * The shape in which a model asks for x, where −1 is an open length and `multiple` tells which number stands for a multiple of the batch's length.
 * Undefined where no axis of it could be that of the examples, alone or joined: theirs begins and ends among whole axes of x.
 */
export const target = (
  x: Shape.Shape,
  asked: Shape.Shape,
  multiple: (n: number) => number | undefined
): Shape.Shape | undefined => {
  const from = x.findIndex((n) => typeof n === "string")
  if (from < 0 || x.some((n, i) => i !== from && typeof n === "string")) return undefined
  const { after, before, name } = axisOf(x[from] as string)
  const factors = asked.map((n) => (typeof n === "string" ? factorOf(n) : multiple(n)))
  const named = factors.findIndex((factor) => factor !== undefined)
  const at = named < 0 ? asked.indexOf(-1) : named
  if (at < 0 || factors.some((factor, i) => i !== at && factor !== undefined)) return undefined
  const total = NdArray.size(x.toSpliced(from, 1, before, after).map(Number))
  const known = NdArray.size(asked.map((n, i) => (i === at || n === -1 ? 1 : Number(n))))
  const factor = factors[at] ?? total / known
  const lengths = asked.map((n, i) => (i === at ? factor : n === -1 ? total / known / factor : Number(n)))
  const first = (NdArray.size(x.slice(0, from).map(Number)) * before) / NdArray.size(lengths.slice(0, at))
  const isWhole = [first, factor / first, ...lengths].every((n) => Number.isInteger(n) && n > 0)
  if (!isWhole || NdArray.size(lengths) !== total) return undefined
  return (lengths as Shape.Shape).with(at, nameOf({ before: first, name, after: factor / first }))
}

/** The formulas of a program for those of the rows: no axis of theirs is joined. */
export class Formulas {
  private readonly made = new Map<T, T>()

  /** The formula for a row's; throws `Refused` where it takes examples together. */
  of(x: T): T {
    const known = this.made.get(x)
    if (known !== undefined) return known
    const own = made(
      x,
      x.operands.map((operand) => this.of(operand))
    )
    this.made.set(x, own)
    return own
  }

  /** A node's result with the examples first, as a place has it; what follows takes it from there. */
  place(x: T): T {
    const own = this.of(x)
    const at = own.shape.findIndex((n) => typeof n === "string")
    if (at <= 0) return own
    const first = toFirst(own, at)
    this.made.set(x, first.transpose([...indexes(1, at + 1), 0, ...indexes(at + 1, own.shape.length)]))
    return first
  }
}

const made = (x: T, operands: ReadonlyArray<T>): T => {
  const axis = find(x.shape)
  if (x.primitive === regroup) return led(spread(operands[0]!, x.operands[0]!.shape), x.shape)
  if (axis === undefined) {
    if (x.operands.some(({ shape }) => find(shape) !== undefined)) throw new Refused(together)
    return Rewrite.rebuild(x, operands)
  }
  const shape = [axis.before * axis.after, ...x.shape.with(axis.at, axis.name)]
  const [first, second] = operands
  // A matrix or array that all examples share has no leading axis, and needs none.
  if (x.primitive.name === "matMul") return first!.matMul(second!, x.attributes)
  if (x.primitive.name === "broadcast") return broadcast(first!, find(x.operands[0]!.shape) !== undefined, shape)
  return new Tensor.Tensor(x.primitive, operands, shifted(x.attributes, shape))
}

const broadcast = (x: T, isLed: boolean, shape: Shape.Shape): T => {
  if (!isLed) return x.broadcastTo(shape)
  const ones = Array<number>(shape.length - x.shape.length).fill(1)
  return x.reshape([...x.shape.slice(0, 1), ...ones, ...x.shape.slice(1)]).broadcastTo(shape)
}

/** The attributes of an operation behind a leading axis. */
const shifted = (attributes: T["attributes"], shape: Shape.Shape): T["attributes"] => {
  const plusOne = (axes: unknown) => (axes as ReadonlyArray<number>).map((axis) => axis + 1)
  const { axes, axis, permutation, to } = attributes
  return {
    ...attributes,
    ...(axis !== undefined && { axis: (axis as number) + 1 }),
    ...(axes !== undefined && { axes: plusOne(axes) }),
    ...(permutation !== undefined && { permutation: [0, ...plusOne(permutation)] }),
    // A cast has a type there.
    ...(Array.isArray(to) && { to: shape })
  }
}

/** Brings the leading axis of a tensor that stands for one of `shape` to where it belongs: [12, T, batch, D] → [T, 3, batch, 4, D] for 3·batch·4. */
const spread = (x: T, shape: Shape.Shape): T => {
  const axis = find(shape)
  if (axis === undefined) return x
  const { at, order, parts } = layout(axis, shape)
  const led = x.reshape([...parts, ...shape.with(at, axis.name)])
  return permuted(
    led,
    order.map((_, i) => order.indexOf(i))
  )
}

/** The inverse of `spread`, from any shape with as many elements on either side of the batch axis. */
const led = (x: T, shape: Shape.Shape): T => {
  const axis = find(shape)
  if (axis === undefined) return x.reshape(shape)
  const { at, order, parts } = layout(axis, shape)
  const plain = shape.with(at, axis.name)
  const whole = [...parts, ...plain]
  const inPlace: Array<Shape.Dimension> = []
  for (const [i, place] of order.entries()) inPlace[place] = whole[i]!
  return permuted(x.reshape(inPlace), order).reshape([axis.before * axis.after, ...plain])
}

/** The parts of a joined axis, and for each axis behind them and for them: where it is once they stand around the batch axis. */
const layout = (axis: NonNullable<ReturnType<typeof find>>, shape: Shape.Shape) => {
  const { after, at, before } = axis
  const [front, back] = [Number(before > 1), Number(after > 1)]
  const places = indexes(0, shape.length).map((i) => i + (i >= at ? front : 0) + (i > at ? back : 0))
  return {
    at,
    parts: [before, after].filter((n) => n > 1),
    order: [...(front ? [at] : []), ...(back ? [at + front + 1] : []), ...places]
  }
}

const permuted = (x: T, permutation: ReadonlyArray<number>): T =>
  permutation.every((axis, i) => axis === i) ? x : x.transpose(permutation)
