/**
 * Operators that take parts of tensors, and those that put tensors together.
 */
import { type Shape, Tensor, Windows } from "@rai/core"
import { type Call, product, type Result, type Row, settled } from "./Call.ts"
import { Refused } from "./Refused.ts"
import * as Taking from "./Taking.ts"

type T = Tensor.Tensor

/** An empty array, which is always known. */
const nothing = (call: Call, shape: Shape.Shape): Result => {
  if (!shape.every((n) => typeof n === "number")) throw new Refused("nothing comes out")
  return { kind: call.kind(), known: { shape, data: new Float64Array(0) } }
}

/** Clamps n to an interval, as a start or end beyond an axis means the axis's own. */
const clamp = (n: number, low: number, high: number): number => Math.min(Math.max(n, low), high)

const sliced: Row = (call) => {
  const older = call.opset < 10
  const starts = older ? (call.ints("starts") ?? []) : call.numbers(1)
  const ends = older ? (call.ints("ends") ?? []) : call.numbers(2)
  const axes = (older ? call.axes(9) : call.axes(3)) ?? starts.map((_, i) => i)
  const steps = call.has(4) ? call.numbers(4) : starts.map(() => 1)
  const parts = axes.flatMap((axis, i) => {
    const [start, end, step] = [starts[i]!, ends[i]!, steps[i]!]
    const n = call.shape()[axis]!
    const isWhole = typeof n === "string" && start === 0 && step === 1 && (end > 2 ** 30 || call.dimension(end) === n)
    return isWhole ? [] : [{ axis, ...within(settled(n, "takes a part of"), start, end, step) }]
  })
  const shape = parts.reduce<Shape.Shape>((of, { axis, count }) => of.with(axis, count), call.shape())
  if (shape.includes(0)) return nothing(call, shape)
  return parts.reduce<T>((x, { axis, count, first, step }) => {
    if (step > 0) return Windows.every(x, axis, first, count, step)
    if (count > Taking.most) throw new Refused(`it takes ${count} pieces of an axis`)
    return Taking.take(
      x,
      axis,
      Taking.indexes(0, count).map((k) => first + k * step)
    )
  }, call.tensor())
}

/** What a slice takes of an axis of length n, whose bounds count from its end where they are negative and are clamped to it. */
const within = (n: number, start: number, end: number, step: number) => {
  const from = (value: number) => (value < 0 ? value + n : value)
  const first = clamp(from(start), 0, step > 0 ? n : n - 1)
  const last = step > 0 ? clamp(from(end), 0, n) : clamp(end < -n ? -1 : from(end), -1, n - 1)
  const count = Math.max(0, Math.ceil((last - first) / step))
  if (!(step !== 0 && count >= 0)) throw new Refused("its step is 0", true)
  return { first, count, step }
}

/** Gathers by slices where the indices are known and few, else by a product with their one-hot matrix. */
const gathered: Row = (call) => {
  const axis = call.axis(call.int("axis", 0))
  const n = settled(call.shape()[axis]!, "chooses along")
  const indices = call.known(1)
  const shape = [...call.shape().slice(0, axis), ...call.shape(1), ...call.shape().slice(axis + 1)]
  if (indices !== undefined && indices.length <= 64) {
    const own = indices.map((index) => (index < 0 ? index + n : index))
    const wrong = own.find((index) => index < 0 || index >= n)
    if (wrong !== undefined) throw new Refused(`index ${wrong} is none of ${n}`, true)
    return Taking.take(call.tensor(), axis, own).reshape(shape)
  }
  return chosen(call.float(), axis, n, Taking.fromBeginning(call.float(1), n)).reshape(shape)
}

/** The elements along an axis of length n at indices that a run decides. */
const chosen = (x: T, axis: number, n: number, index: T): T => {
  const rows = Taking.toFirst(x, axis)
  const rest = rows.shape.slice(1)
  const [examples = 1, ...others] = index.shape
  const places = others.length === 0 ? [examples, n] : [examples, product(others), n]
  const found = index
    .oneHot(n)
    .reshape(places)
    .matMul(rows.reshape([n, product(rest)]))
    .reshape([...index.shape, ...rest])
  // The elements come first and belong where the axis was.
  const r = index.shape.length
  const { indexes } = Taking
  return found.transpose([...indexes(r, r + axis), ...indexes(0, r), ...indexes(r + axis, found.shape.length)])
}

const split: Row = (call) => {
  const axis = call.axis(call.int("axis", 0))
  const n = call.length(axis)
  const parts = call.outputs.length
  if (call.int("num_outputs", parts) !== parts) throw new Refused("it has other outputs than it says", true)
  const each = Math.ceil(n / parts)
  const given = call.has(1) ? call.numbers(1) : call.ints("split")
  const lengths = given ?? Taking.indexes(0, parts).map((i) => Math.max(0, Math.min(each, n - i * each)))
  if (lengths.reduce((a, b) => a + b, 0) !== n)
    throw new Refused(`its parts do not make up the ${n} of axis ${axis}`, true)
  let start = 0
  return lengths.map((length) => {
    start += length
    if (length === 0) return nothing(call, call.shape().with(axis, 0))
    return call.tensor().slice(axis, start - length, start)
  })
}

const joined: Row = (call) => {
  const axis = call.axis(call.int("axis", 1))
  const filled = call.inputs.flatMap((_, i) => (call.shape(i)[axis] === 0 ? [] : [call.tensor(i)]))
  return filled.length === 0 ? nothing(call, call.shape()) : Tensor.concat(filled, axis)
}

const pads = (
  call: Call
): ReadonlyArray<{ readonly axis: number; readonly before: number; readonly after: number }> => {
  const given = call.opset < 11 ? (call.ints("pads") ?? []) : call.numbers(1)
  const axes = (call.has(3) ? call.axes(3) : undefined) ?? call.shape().map((_, axis) => axis)
  if (given.length !== 2 * axes.length) throw new Refused("its pads are not two for each axis", true)
  return axes.map((axis, i) => ({ axis, before: given[i]!, after: given[axes.length + i]! }))
}

/** For each mode that pads with elements of the axis itself, of length m: the one that lies at i, which may be outside. */
const reflections: Readonly<Record<string, (i: number, m: number) => number>> = {
  edge: (i, m) => clamp(i, 0, m - 1),
  wrap: (i, m) => ((i % m) + m) % m,
  reflect: (i, m) => {
    const period = 2 * Math.max(1, m - 1)
    const at = ((i % period) + period) % period
    return at < m ? at : period - at
  }
}

const padded: Row = (call) => {
  const mode = call.text("mode", "constant")
  const value = call.opset < 11 ? call.real("value", 0) : call.has(2) ? call.number(2) : 0
  return pads(call).reduce<T>((x, { after, axis, before }) => {
    if (before === 0 && after === 0) return x
    const n = settled(x.shape[axis]!, "pads")
    // Negative pads take elements away.
    const left = x.slice(axis, Math.max(0, -before), n - Math.max(0, -after))
    const [front, back] = [Math.max(0, before), Math.max(0, after)]
    if (mode === "constant") return Windows.padded(left, axis, front, back, value)
    const m = left.shape[axis] as number
    const from = reflections[mode] ?? reflections.reflect!
    if (m + front + back > Taking.most) throw new Refused(`it pads to ${m + front + back} numbers by those at the edge`)
    return Taking.take(
      left,
      axis,
      Taking.indexes(-front, m + back).map((i) => from(i, m))
    )
  }, call.float())
}

const tiled: Row = (call) => {
  const repeats = call.numbers(1)
  if (repeats.length !== call.rank()) throw new Refused("its repeats are not one for each axis", true)
  return repeats.reduce<T>((x, times, axis) => {
    if (times === 1) return x
    if (!(times > 0)) throw new Refused("nothing is left of what it repeats")
    const length = settled(x.shape[axis]!, "repeats")
    const once = x.reshape(x.shape.toSpliced(axis, 0, 1))
    return once.broadcastTo(once.shape.with(axis, times)).reshape(x.shape.with(axis, times * length))
  }, call.tensor())
}

export const rows: Readonly<Record<string, Row>> = {
  Slice: sliced,
  Gather: gathered,
  Split: split,
  Concat: joined,
  Pad: padded,
  Tile: tiled
}
