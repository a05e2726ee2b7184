/**
 * Resampling of images and signals: along each axis, every number that comes out is a weighted sum of some that go in.
 */
import { NdArray, type Tensor } from "@rai/core"
import { type Call, type Row, settled } from "./Call.ts"
import { Refused } from "./Refused.ts"
import * as Taking from "./Taking.ts"

type T = Tensor.Tensor

/** How an axis of `length` becomes one of `count`, `scale` times as long before it is rounded. */
interface Along {
  readonly length: number
  readonly count: number
  readonly scale: number
}

/** For each mode: where the i-th number that comes out lies among those that go in. */
const positions: Readonly<Record<string, (i: number, along: Along) => number>> = {
  half_pixel: (i, { scale }) => (i + 0.5) / scale - 0.5,
  pytorch_half_pixel: (i, { length, scale }) => (scale * length === 1 ? -0.5 : (i + 0.5) / scale - 0.5),
  half_pixel_symmetric: (i, { count, length, scale }) =>
    (length / 2) * (1 - count / (scale * length)) + (i + 0.5) / scale - 0.5,
  align_corners: (i, { length, scale }) => (scale * length === 1 ? 0 : (i * (length - 1)) / (scale * length - 1)),
  asymmetric: (i, { scale }) => i / scale
}

/** For each mode: the whole number that stands for a position between two. */
const nearest: Readonly<Record<string, (position: number) => number>> = {
  round_prefer_floor: (position) => Math.ceil(position - 0.5),
  round_prefer_ceil: (position) => Math.floor(position + 0.5),
  floor: Math.floor,
  ceil: Math.ceil
}

/** Weight of a number at distance d ≥ 0, and the distance from which on it has none. */
const kernels: Readonly<Record<string, { readonly reach: number; readonly at: (d: number, a: number) => number }>> = {
  linear: { reach: 1, at: (d) => 1 - d },
  // Keys 1981.
  cubic: {
    reach: 2,
    at: (d, a) => (d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a)
  }
}

/** The shares that the numbers going in have of the one at `position`. */
const shares = (call: Call, position: number, { length, scale }: Along) => {
  const { at, reach } = kernels[call.text("mode", "nearest")]!
  // Where fewer come out than go in, antialiasing widens the kernel so that each has its share.
  const wide = call.int("antialias", 0) === 1 ? Math.max(1, 1 / scale) : 1
  const a = call.real("cubic_coeff_a", -0.75)
  const from = Math.floor(position - reach * wide) + 1
  const all = Taking.indexes(from, Math.ceil(position + reach * wide)).map((index) => ({
    index,
    weight: at(Math.abs(index - position) / wide, a)
  }))
  const isInside = (index: number) => index >= 0 && index < length
  const counted = call.int("exclude_outside", 0) === 1 ? all.filter(({ index }) => isInside(index)) : all
  const total = counted.reduce((sum, { weight }) => sum + weight, 0)
  // What would lie outside is the number at the edge.
  return counted.map(({ index, weight }) => ({
    index: Math.min(Math.max(index, 0), length - 1),
    weight: weight / total
  }))
}

/** Lengths and scales of the axes that change. */
const axesOf = (call: Call): ReadonlyArray<Along & { readonly axis: number }> => {
  const older = call.opset < 11
  const given = (i: number) => (call.has(i) && call.shape(i)[0] !== 0 ? call.numbers(i) : undefined)
  const [scales, sizes] = older ? [given(1) ?? call.reals("scales"), undefined] : [given(2), given(3)]
  const asked = sizes ?? scales
  const named = call.ints("axes")?.map((axis) => call.axis(axis))
  const axes = named ?? call.shape().map((_, axis) => axis)
  if (asked === undefined || asked.length !== axes.length) {
    throw new Refused("its scales are not one for each axis", true)
  }
  const isKept = (axis: number, n: number) => (sizes === undefined ? n === 1 : n === call.lengthOf(call.shape()[axis]!))
  const policy = call.text("keep_aspect_ratio_policy", "stretch")
  const ratios = sizes?.map((n, i) => n / call.lengthOf(call.shape()[axes[i]!]!)) ?? []
  const common = policy === "not_larger" ? Math.min(...ratios) : policy === "not_smaller" ? Math.max(...ratios) : 0
  return axes.flatMap((axis, i) => {
    const n = call.shape()[axis]!
    // A model exported with a fixed batch length states that length where the run's own is meant.
    const isBatch = typeof n === "string" && sizes !== undefined && asked[i] === call.graph.fixedBatch
    if (isBatch || (common === 0 && isKept(axis, asked[i]!))) return []
    const length = settled(n, "resamples")
    const scale = sizes === undefined ? asked[i]! : common || asked[i]! / length
    // Rounded to float32 first, so that 0.7, which is a little less there, makes 7 of 10.
    const rounded = Math.floor(Math.fround(scale * length) + (common ? 0.5 : 0))
    const count = sizes === undefined || common ? rounded : asked[i]!
    if (!(scale > 0 && count > 0)) throw new Refused("nothing is left of what it resamples")
    return [{ axis, length, scale, count }]
  })
}

/** Numbers that are those at `indices`: whole copies of each where these come in turn, as in most networks. */
const chosen = (x: T, axis: number, length: number, indices: ReadonlyArray<number>): T => {
  const times = indices.length / length
  const isInTurn = Number.isInteger(times) && indices.every((index, i) => index === Math.floor(i / times))
  if (!isInTurn) return Taking.take(x, axis, indices)
  const each = x.reshape(x.shape.toSpliced(axis + 1, 0, 1))
  return each.broadcastTo(each.shape.with(axis + 1, times)).reshape(x.shape.with(axis, indices.length))
}

/** Most numbers of the matrix of an axis. */
const most = 2 ** 22

const resized: Row = (call) => {
  const mode = call.text("mode", "nearest")
  const coordinates = call.text("coordinate_transformation_mode", call.opset < 11 ? "asymmetric" : "half_pixel")
  const position = positions[coordinates]
  const kernel = mode === "nearest" || kernels[mode] !== undefined
  if (position === undefined || !kernel) throw new Refused(`it resamples by ${position ? mode : coordinates}`)
  const rounded = nearest[call.text("nearest_mode", call.opset < 11 ? "floor" : "round_prefer_floor")]!
  return axesOf(call).reduce<T>((x, along) => {
    const { axis, count, length } = along
    const places = Taking.indexes(0, count).map((i) => position(i, along))
    if (mode === "nearest") {
      const indices = places.map((place) => Math.min(Math.max(rounded(place), 0), length - 1))
      return chosen(x, axis, length, indices)
    }
    if (length * count > most) throw new Refused(`it resamples ${length} numbers as ${count}`)
    const numbers = new Float64Array(length * count)
    for (const [i, place] of places.entries()) {
      for (const { index, weight } of shares(call, place, along)) numbers[index * count + i]! += weight
    }
    const rows = Taking.toLast(x, axis)
    const matrix = call.graph.embed(NdArray.make([length, count], numbers))
    const flat = rows.shape.length === 1 ? rows.reshape([1, length]) : rows
    return Taking.lastTo(flat.matMul(matrix).reshape(rows.shape.with(-1, count)), axis)
  }, call.float())
}

export const rows: Readonly<Record<string, Row>> = {
  Resize: resized,
  // As it was called before operator set 10.
  Upsample: resized
}
