/**
 * Operators that change shapes, and those that compute them.
 */
import { Shape } from "@rai/core"
import { type Call, product, type Result, type Row } from "./Call.ts"
import * as Joined from "./Joined.ts"
import { Refused } from "./Refused.ts"
import * as Value from "./Value.ts"

/** Shape that a Reshape asks for: 0 keeps a dimension, −1 is inferred from the others. */
const target = (call: Call): Shape.Shape => {
  const x = call.shape()
  const asked = call.opset < 5 ? (call.ints("shape") ?? []) : call.numbers(1)
  if (!asked.every(Number.isInteger)) throw new Refused("its shape is no list of whole numbers", true)
  const keeps = call.int("allowzero", 0) === 0
  const shape = asked.map((n, axis) => (n === 0 && keeps ? (x[axis] ?? 1) : n === -1 ? -1 : call.dimension(n)))
  if (shape.filter((n) => n === -1).length > 1) throw new Refused("it leaves two lengths open", true)
  const left = unnamed(x, shape)
  // A model exported with a fixed batch length states that length where the run's own is meant.
  if (left.length === 1 && call.graph.fixedBatch !== undefined && shape[0] === call.graph.fixedBatch) {
    const meant = inferred(x, [left[0]!, ...shape.slice(1)])
    const isWhole = meant?.every((n) => typeof n === "string" || Number.isInteger(n))
    if (meant !== undefined && isWhole && Shape.sameCount(x, meant)) return meant
  }
  const joined = Joined.target(x, shape, (n) => Value.multiple(n, call.graph.names))
  if (joined !== undefined) return joined
  if (asked.some((n) => Value.isComputed(n, call.graph.names))) {
    throw new Refused("it gives an axis a length that is computed from one which each run decides")
  }
  const found = inferred(x, shape)
  if (found !== undefined) return found
  throw new Refused(`it puts the axis «${left[0]}», whose length each run decides, together with others`)
}

/** Names among the dimensions of x that a shape lacks. */
const unnamed = (x: Shape.Shape, shape: Shape.Shape): ReadonlyArray<string> =>
  Shape.count(x).named.filter((name) => !shape.includes(name))

/** Puts in the place of −1 what the other dimensions leave of x; undefined where that is no single dimension. */
const inferred = (x: Shape.Shape, shape: Shape.Shape): Shape.Shape | undefined => {
  if (!shape.includes(-1)) return shape
  const [name, ...others] = unnamed(x, shape)
  const rest = Shape.count(x).known / Shape.count(shape.filter((n) => n !== -1)).known
  const open = name === undefined ? rest : others.length === 0 && rest === 1 ? name : undefined
  return open === undefined ? undefined : shape.map((n) => (n === -1 ? open : n))
}

const squeezed: Row = (call) => {
  const axes = call.axes(1) ?? call.shape().flatMap((n, axis) => (n === 1 ? [axis] : []))
  const long = axes.find((axis) => call.shape()[axis] !== 1)
  if (long !== undefined) throw new Refused(`axis ${long} is ${call.shape()[long]} long, not 1`, true)
  return call.tensor().reshape(call.shape().filter((_, axis) => !axes.includes(axis)))
}

const unsqueezed: Row = (call) => {
  const given = call.has(1) ? call.numbers(1) : (call.ints("axes") ?? [])
  const rank = call.rank() + given.length
  const axes = given.map((axis) => call.axis(axis, rank))
  const rest = [...call.shape()]
  const shape = Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()))
  if (new Set(axes).size < axes.length) throw new Refused("it names an axis twice", true)
  return call.tensor().reshape(shape as Shape.Shape)
}

const flattened: Row = (call) => {
  const given = call.int("axis", 1)
  const axis = given === call.rank() ? given : call.axis(given)
  return call.tensor().reshape([product(call.shape().slice(0, axis)), product(call.shape().slice(axis))])
}

const expanded: Row = (call) => {
  const given = call.numbers(1)
  // A model exported with a fixed batch length states that length where the run's own is meant.
  const meant = (n: number, axis: number) => {
    const own = call.shape()[axis + call.rank() - given.length]
    return n === call.graph.fixedBatch && typeof own === "string" ? own : call.dimension(n)
  }
  const asked = given.map(meant)
  const shape = Shape.broadcast(call.shape(), asked)
  if (shape === undefined)
    throw new Refused(`${Shape.show(call.shape())} does not expand to ${Shape.show(asked)}`, true)
  return call.tensor().broadcastTo(shape)
}

/** A result of integers that are known while the graph is read. */
const whole = (shape: ReadonlyArray<number>, numbers: ReadonlyArray<number>): Result => ({
  kind: "int",
  known: { shape, data: Float64Array.from(numbers) }
})

const shape: Row = (call) => {
  const [start, end] = [call.int("start", 0), call.int("end", call.rank())]
  const part = call.shape().slice(start, end)
  return whole(
    [part.length],
    part.map((n) => call.lengthOf(n))
  )
}

const size: Row = (call) => whole([], [call.lengthOf(product(call.shape()))])

export const rows: Readonly<Record<string, Row>> = {
  Reshape: (call) => Joined.reshape(call.tensor(), target(call)),
  Squeeze: squeezed,
  Unsqueeze: unsqueezed,
  Flatten: flattened,
  Expand: expanded,
  Shape: shape,
  Size: size
}
