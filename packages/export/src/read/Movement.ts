/**
 * Operators that rearrange elements, and those that compute shapes.
 */
import { NdArray, Shape, Tensor, Windows } from "@rai/core"
import { type Call, filled, product, type Result, type Row } from "./Call.ts"
import { Refused } from "./Refused.ts"
import * as Taking from "./Taking.ts"
import * as Value from "./Value.ts"

type T = Tensor.Tensor

/** A result of integers that are known while the graph is read. */
const whole = (shape: ReadonlyArray<number>, numbers: ReadonlyArray<number>): Result => ({
  kind: "int",
  known: { shape, data: Float64Array.from(numbers) }
})

/** Shape that a Reshape asks for: 0 keeps a dimension, −1 is inferred from the others. */
const target = (call: Call): Shape.Shape => {
  const x = call.shape()
  const asked = call.opset < 5 ? (call.ints("shape") ?? []) : call.numbers(1)
  if (!asked.every(Number.isInteger)) throw new Refused("its shape is no list of whole numbers", true)
  const keeps = call.int("allowzero", 0) === 0
  const shape = asked.map((n, axis) => (n === 0 && keeps ? (x[axis] ?? 1) : n === -1 ? -1 : call.dimension(n)))
  if (asked.some((n) => Value.isComputed(n, call.graph.names))) {
    throw new Refused("it gives an axis a length that is computed from one which each run decides")
  }
  if (shape.filter((n) => n === -1).length > 1) throw new Refused("it leaves two lengths open", true)
  const [have, given] = [Shape.count(x), Shape.count(shape.filter((n) => n !== -1))]
  const left = have.named.filter((name) => !given.named.includes(name))
  // A model exported with a fixed batch length states that length where the run's own is meant.
  const fixed = call.graph.fixedBatch
  if (left.length === 1 && fixed !== undefined && shape[0] === fixed) {
    const whole = [left[0]!, ...shape.slice(1)]
    const rest = have.known / Shape.count(whole.filter((n) => n !== -1)).known
    const filledIn = whole.map((n) => (n === -1 ? rest : n))
    if (Number.isInteger(rest) && Shape.sameCount(x, filledIn)) return filledIn
  }
  const rest = have.known / given.known
  if (left.length === 0) return shape.map((n) => (n === -1 ? rest : n))
  if (left.length === 1 && rest === 1) return shape.map((n) => (n === -1 ? left[0]! : n))
  if (!shape.includes(-1)) return shape
  throw new Refused(`it puts the axis «${left[0]}», whose length each run decides, together with others`)
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

/** Clamps n to an interval, as a start or end beyond an axis means the axis's own. */
const clamp = (n: number, low: number, high: number): number => Math.min(Math.max(n, low), high)

/** An empty array, which is always known. */
const nothing = (call: Call, shape: Shape.Shape): Result => {
  if (!shape.every((n) => typeof n === "number")) throw new Refused("nothing comes out")
  return { kind: call.kind(), known: { shape, data: new Float64Array(0) } }
}

const sliced: Row = (call) => {
  const older = call.opset < 10
  const starts = older ? (call.ints("starts") ?? []) : call.numbers(1)
  const ends = older ? (call.ints("ends") ?? []) : call.numbers(2)
  const axes = (older ? call.axes(9) : call.axes(3)) ?? starts.map((_, i) => i)
  const steps = call.has(4) ? call.numbers(4) : starts.map(() => 1)
  const parts = axes.flatMap((axis, i) => {
    const [start, end, step] = [starts[i]!, ends[i]!, steps[i]!]
    const n = call.shape()[axis]!
    if (typeof n === "string") {
      if (start === 0 && step === 1 && (end > 2 ** 30 || call.dimension(end) === n)) return []
      throw new Refused(`it takes a part of the axis «${n}», whose length each run decides`)
    }
    const from = (value: number) => (value < 0 ? value + n : value)
    const [low, high] = step > 0 ? [0, n] : [0, n - 1]
    const first = clamp(from(start), low, high)
    const last = step > 0 ? clamp(from(end), 0, n) : clamp(end < -n ? -1 : from(end), -1, n - 1)
    const count = Math.max(0, Math.ceil((last - first) / step))
    if (!(step !== 0 && count >= 0)) throw new Refused("its step is 0", true)
    return [{ axis, first, count, step }]
  })
  const shape = parts.reduce<Shape.Shape>((of, { axis, count }) => of.with(axis, count), call.shape())
  if (shape.includes(0)) return nothing(call, shape)
  return parts.reduce<T>((x, { axis, count, first, step }) => {
    if (step > 0) return Windows.every(x, axis, first, count, step)
    if (count > Taking.most) throw new Refused(`it takes ${count} pieces of an axis`)
    return Taking.take(
      x,
      axis,
      Array.from({ length: count }, (_, k) => first + k * step)
    )
  }, call.tensor())
}

/** Gathers by slices where the indices are known and few, else by a product with their one-hot matrix. */
const gathered: Row = (call) => {
  const axis = call.axis(call.int("axis", 0))
  const n = call.shape()[axis]!
  const indices = call.known(1)
  const shape = [...call.shape().slice(0, axis), ...call.shape(1), ...call.shape().slice(axis + 1)]
  if (typeof n === "string") throw new Refused(`it chooses along the axis «${n}», whose length each run decides`)
  if (indices !== undefined && indices.length <= 64) {
    const own = indices.map((index) => (index < 0 ? index + n : index))
    const wrong = own.find((index) => index < 0 || index >= n)
    if (wrong !== undefined) throw new Refused(`index ${wrong} is none of ${n}`, true)
    return Taking.take(call.tensor(), axis, own).reshape(shape)
  }
  const given = call.float(1)
  const index = filled(0, given.shape).greater(given).where(given.add(n), given)
  const rows = toFirst(call.float(), axis)
  const rest = rows.shape.slice(1)
  const table = rows.reshape([n, product(rest)])
  const [examples = 1, ...others] = index.shape
  const chosen = index.oneHot(n)
  const found =
    others.length === 0
      ? chosen.reshape([examples, n]).matMul(table)
      : chosen.reshape([examples, product(others), n]).matMul(table)
  const whole = found.reshape([...index.shape, ...rest])
  // The gathered elements come first and belong where the axis was.
  const r = index.shape.length
  const order = [...indexes(r, r + axis), ...indexes(0, r), ...indexes(r + axis, whole.shape.length)]
  return whole.transpose(order)
}

const indexes = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: to - from }, (_, i) => from + i)

const toFirst = (x: T, axis: number): T =>
  axis === 0 ? x : x.transpose([axis, ...x.shape.map((_, i) => i).filter((i) => i !== axis)])

const split: Row = (call) => {
  const axis = call.axis(call.int("axis", 0))
  const n = call.length(axis)
  const parts = call.outputs.length
  if (call.int("num_outputs", parts) !== parts) throw new Refused("it has other outputs than it says", true)
  const each = Math.ceil(n / parts)
  const given = call.has(1) ? call.numbers(1) : call.ints("split")
  const lengths = given ?? indexes(0, parts).map((i) => Math.max(0, Math.min(each, n - i * each)))
  if (lengths.reduce((a, b) => a + b, 0) !== n)
    throw new Refused(`its parts do not make up the ${n} of axis ${axis}`, true)
  let start = 0
  return lengths.map((length) => {
    start += length
    if (length === 0) return nothing(call, call.shape().with(axis, 0))
    return call.tensor().slice(axis, start - length, start)
  })
}

const pads = (
  call: Call
): ReadonlyArray<{ readonly axis: number; readonly before: number; readonly after: number }> => {
  const given = call.opset < 11 ? (call.ints("pads") ?? []) : call.numbers(1)
  const axes = (call.has(3) ? call.axes(3) : undefined) ?? call.shape().map((_, axis) => axis)
  if (given.length !== 2 * axes.length) throw new Refused("its pads are not two for each axis", true)
  return axes.map((axis, i) => ({ axis, before: given[i]!, after: given[axes.length + i]! }))
}

const padded: Row = (call) => {
  const mode = call.text("mode", "constant")
  const value = call.opset < 11 ? call.real("value", 0) : call.has(2) ? call.number(2) : 0
  return pads(call).reduce<T>((x, { after, axis, before }) => {
    if (before === 0 && after === 0) return x
    const n = x.shape[axis]!
    if (typeof n === "string") throw new Refused(`it pads the axis «${n}», whose length each run decides`)
    const left = x.slice(axis, Math.max(0, -before), n - Math.max(0, -after))
    if (mode === "constant") return Windows.padded(left, axis, Math.max(0, before), Math.max(0, after), value)
    const m = left.shape[axis] as number
    const from = (i: number): number => {
      if (mode === "edge") return clamp(i, 0, m - 1)
      if (mode === "wrap") return ((i % m) + m) % m
      const period = 2 * Math.max(1, m - 1)
      const at = ((i % period) + period) % period
      return at < m ? at : period - at
    }
    const length = m + Math.max(0, before) + Math.max(0, after)
    if (length > Taking.most) throw new Refused(`it pads to ${length} numbers by those at the edge`)
    return Taking.take(
      left,
      axis,
      indexes(0, length).map((i) => from(i - Math.max(0, before)))
    )
  }, call.float())
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

const tiled: Row = (call) => {
  const repeats = call.numbers(1)
  if (repeats.length !== call.rank()) throw new Refused("its repeats are not one for each axis", true)
  return repeats.reduce<T>((x, times, axis) => {
    if (times === 1) return x
    if (!(times > 0)) throw new Refused("nothing is left of what it repeats")
    const length = product([x.shape[axis]!])
    if (typeof length === "string") throw new Refused(`it repeats the axis «${length}», whose length each run decides`)
    const once = x.reshape(x.shape.toSpliced(axis, 0, 1))
    return once.broadcastTo(once.shape.with(axis, times)).reshape(x.shape.with(axis, times * length))
  }, call.tensor())
}

const constant: Row = (call) => {
  const value = call.attributes.get("value")
  if (value !== undefined) {
    const { array, kind } = call.graph.decode(value)
    return { known: array, kind }
  }
  for (const [name, kind] of [
    ["value_float", "float"],
    ["value_floats", "float"],
    ["value_int", "int"],
    ["value_ints", "int"]
  ] as const) {
    const attribute = call.attributes.get(name)
    if (attribute === undefined) continue
    const one = kind === "float" ? attribute.f : Number(attribute.i)
    const list = kind === "float" ? attribute.floats : attribute.ints.map(Number)
    const isList = name.endsWith("s")
    const data = Float64Array.from(isList ? list : [one])
    return { kind, known: { shape: isList ? [data.length] : [], data } }
  }
  throw new Refused("its value is text, sparse or missing")
}

const constantOfShape: Row = (call) => {
  const value = call.attributes.get("value")
  const { array, kind } = value === undefined ? zero : call.graph.decode(value)
  const shape = call.numbers(0).map((n) => call.dimension(n))
  const tensor = filled(array.data[0] ?? 0, shape)
  return kind === "bool" ? tensor.greater(0.5) : { tensor, kind }
}

const zero = { array: { shape: [1], data: Float64Array.of(0) }, kind: "float" } as const

const range: Row = (call) => {
  const [start, limit, step] = [call.number(0), call.number(1), call.number(2)]
  const count = Math.ceil((limit - start) / step)
  if (!(count > 0 && count <= 2 ** 16)) throw new Refused(`it counts ${count} numbers`)
  const numbers = indexes(0, count).map((i) => start + i * step)
  return { kind: call.kind(), known: { shape: [count], data: Float64Array.from(numbers) } }
}

const shape: Row = (call) => {
  const [start, end] = [call.int("start", 0), call.int("end", call.rank())]
  const part = call.shape().slice(start, end)
  return whole(
    [part.length],
    part.map((n) => call.lengthOf(n))
  )
}

const size: Row = (call) => whole([], [call.lengthOf(product(call.shape()))])

const oneHot: Row = (call) => {
  const classes = call.number(1)
  const values = call.float(2)
  const [off, on] = [values.slice(0, 0, 1).reshape([]), values.slice(0, 1, 2).reshape([])]
  if (!(classes >= 1 && classes <= 2 ** 20)) throw new Refused(`it tells ${classes} classes apart`)
  const given = call.float()
  const index = filled(0, given.shape).greater(given).where(given.add(classes), given)
  const axis = call.axis(call.int("axis", -1), call.rank() + 1)
  const tensor = Taking.lastTo(index.oneHot(classes), axis).mul(on.sub(off)).add(off)
  return { tensor, kind: call.kind(2) }
}

/** The part of matrices above, or below, a diagonal. */
const triangle: Row = (call) => {
  const [rows, columns] = [call.length(call.rank() - 2), call.length(call.rank() - 1)]
  const k = call.has(1) ? call.number(1) : 0
  const upper = call.int("upper", 1) === 1
  if (rows * columns > 2 ** 20) throw new Refused(`it takes a part of ${rows} × ${columns}`)
  const numbers = indexes(0, rows * columns).map((i) => {
    const distance = (i % columns) - Math.floor(i / columns)
    return Number(upper ? distance >= k : distance <= k)
  })
  const mask = call.graph.embed(NdArray.make([rows, columns], numbers)).greater(0.5)
  const x = call.float()
  return mask.broadcastTo(x.shape).where(x, x.zerosLike())
}

/** Shape of the images, and the side length of a block. */
const images = (call: Call) => {
  if (call.rank() !== 4) throw new Refused(`${Shape.show(call.shape())} are no images`, true)
  const [c, h, w] = [call.length(1), call.length(2), call.length(3)]
  return { b: call.shape()[0]!, c, h, w, block: call.int("blocksize", 1) }
}

/** Moves channels into blocks of pixels. */
const depthToSpace: Row = (call) => {
  const { b, block, c, h, w } = images(call)
  const left = c / block ** 2
  const isColumnsFirst = call.text("mode", "DCR") === "CRD"
  const parted = isColumnsFirst
    ? call.float().reshape([b, left, block, block, h, w]).transpose([0, 1, 4, 2, 5, 3])
    : call.float().reshape([b, block, block, left, h, w]).transpose([0, 3, 4, 1, 5, 2])
  return parted.reshape([b, left, h * block, w * block])
}

/** Moves blocks of pixels into channels, the inverse of `depthToSpace`. */
const spaceToDepth: Row = (call) => {
  const { b, block, c, h, w } = images(call)
  return call
    .float()
    .reshape([b, c, h / block, block, w / block, block])
    .transpose(call.text("mode", "DCR") === "CRD" ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4])
    .reshape([b, c * block ** 2, h / block, w / block])
}

export const rows: Readonly<Record<string, Row>> = {
  Reshape: (call) => call.tensor().reshape(target(call)),
  Transpose: (call) =>
    call.tensor().transpose(
      call.ints("perm") ??
        call
          .shape()
          .map((_, axis) => axis)
          .reverse()
    ),
  Squeeze: squeezed,
  Unsqueeze: unsqueezed,
  Flatten: flattened,
  Slice: sliced,
  Gather: gathered,
  Split: split,
  Concat: (call) => {
    const axis = call.axis(call.int("axis", 1))
    const filled = call.inputs.flatMap((_, i) => (call.shape(i)[axis] === 0 ? [] : [call.tensor(i)]))
    return filled.length === 0 ? nothing(call, call.shape()) : Tensor.concat(filled, axis)
  },
  Pad: padded,
  Expand: expanded,
  Tile: tiled,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: range,
  Shape: shape,
  Size: size,
  OneHot: oneHot,
  Trilu: triangle,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth
}
