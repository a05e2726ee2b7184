/**
 * Random circuits over every kind of block, grown step by step so that each block fits the output of the one before.
 */
import { Circuit, Pseudorandom } from "@rai/core"

/** Draws random integers, and random elements of a list. */
export interface Draw {
  /** A uniform integer in from … to, both included. */
  readonly whole: (from: number, to: number) => number
  readonly one: <A>(of: ReadonlyArray<A>) => A
}

/** Returns the draws for a seed. */
export const draw = (seed: number): Draw => {
  const { uniform } = Pseudorandom.make(seed)
  const whole = (from: number, to: number) => Math.floor(uniform(from, to + 1))
  return { whole, one: (of) => of[whole(0, of.length - 1)]! }
}

/** Shape of an example at a place: [units], [channels, length] or [channels, height, width]. */
type Example = readonly [number, ...Array<number>]

interface Part {
  readonly circuit: Circuit.Circuit
  readonly gives: Example
}

/** What a circuit takes: its number of columns and, for columns that hold a category, the number of categories by column index from 0. */
export interface Entry {
  readonly inputs: number
  readonly categories: Readonly<Record<number, number>>
}

/** A random circuit and what it takes. */
export interface Grown extends Entry {
  readonly circuit: Circuit.Circuit
}

/**
 * Returns a circuit with `outputs` outputs, the same for the same draws. Given `inputs`, it takes that many plain columns; otherwise the draws
 * decide between plain columns, columns with categories among them, words, signals and images.
 *
 * ```ts
 * import { RandomCircuit } from "@rai/conformance"
 * import { Circuit } from "@rai/core"
 *
 * const { circuit, inputs } = RandomCircuit.grow(RandomCircuit.draw(7), 2)
 * Circuit.inputs(circuit) === inputs // => true
 * ```
 */
export const grow = (draw: Draw, outputs: number, inputs?: number): Grown => {
  const { entry, first } = inputs === undefined ? draw.one(entries)(draw) : plain(draw, inputs)
  const steps = [first]
  const count = draw.whole(0, 5)
  while (steps.length <= count) steps.push(step(draw, steps.at(-1)!.gives, 2))
  if (steps.at(-1)!.gives.length > 1) steps.push(inRows(draw, steps.at(-1)!.gives, 0))
  const last = Circuit.linear(steps.at(-1)!.gives[0], outputs)
  return { ...entry, circuit: Circuit.sequence(...steps.map(({ circuit }) => circuit), last) }
}

interface Beginning {
  readonly entry: Entry
  readonly first: Part
}

/** A circuit takes its input width from the first block that has one, so it starts with such a block. */
const plain = (draw: Draw, inputs: number): Beginning => ({
  entry: { inputs, categories: {} },
  first: draw.one([map, map, chosen])(draw, [inputs], 0)
})

/** Columns of numbers, followed by one or two columns of categories, which are embedded as vectors. */
const mixed = (draw: Draw): Beginning => {
  const [numbers, columns, categories] = [draw.whole(1, 3), draw.whole(1, 2), draw.whole(2, 6)]
  const inputs = numbers + columns
  const units = draw.whole(1, 4)
  const circuit = Circuit.branch(
    Circuit.columns({ inputs, first: 0, count: numbers }),
    Circuit.sequence(
      Circuit.columns({ inputs, first: numbers, count: columns }),
      Circuit.embedding({ inputs: columns, categories, units }),
      Circuit.flatten
    )
  )
  const places = Array.from({ length: columns }, (_, i) => [numbers + i, categories])
  return {
    entry: { inputs, categories: Object.fromEntries(places) },
    first: { circuit, gives: [numbers + columns * units] }
  }
}

/** Words alone: each is embedded as a vector and becomes a channel of a signal. */
const words = (draw: Draw): Beginning => {
  const [inputs, categories, units] = [draw.whole(2, 4), draw.whole(2, 9), draw.whole(2, 6)]
  const places = Array.from({ length: inputs }, (_, i) => [i, categories])
  return {
    entry: { inputs, categories: Object.fromEntries(places) },
    first: { circuit: Circuit.embedding({ inputs, categories, units }), gives: [inputs, units] }
  }
}

const signals = (draw: Draw): Beginning => {
  const [channels, length] = [draw.whole(1, 3), draw.whole(3, 12)]
  const circuit = atTimesNormalised(draw, Circuit.unflatten({ channels, length }), length)
  return { entry: { inputs: channels * length, categories: {} }, first: { circuit, gives: [channels, length] } }
}

const images = (draw: Draw): Beginning => {
  const [channels, height, width] = [draw.whole(1, 3), draw.whole(3, 8), draw.whole(3, 8)]
  const circuit = atTimesNormalised(draw, Circuit.unflatten({ channels, height, width }), width)
  const inputs = channels * height * width
  return { entry: { inputs, categories: {} }, first: { circuit, gives: [channels, height, width] } }
}

const atTimesNormalised = (draw: Draw, unflatten: Circuit.Circuit, units: number): Circuit.Circuit =>
  draw.whole(0, 3) === 0 ? Circuit.sequence(unflatten, Circuit.layerNorm(units)) : unflatten

const entries = [(draw: Draw) => plain(draw, draw.whole(1, 6)), mixed, words, signals, images]

type Step = (draw: Draw, comes: Example, depth: number) => Part

/** Any block that fits; blocks that hold others may nest `depth` deep. */
const step: Step = (draw, comes, depth) => {
  const holding = depth > 0 ? [around, repeated, beside] : []
  const fitting = comes.length === 1 ? [chosen] : [pooled, pooled, inRows, along]
  return draw.one([function_, map, map, normalised, dropped, ...holding, ...fitting])(draw, comes, depth)
}

const function_: Step = (draw, gives) => ({ circuit: draw.one(Object.values(Circuit.activations)), gives })

const dropped: Step = (draw, gives) => ({ circuit: Circuit.dropout(draw.one([0, 0.1, 0.5])), gives })

/** Avoids layer norms over nearly equal values (two units, a smoothed signal): with almost no variance, the answer would be rounding error. */
const normalised: Step = (draw, gives) => {
  const [units, ...lengths] = gives
  const layer = units > 2 && lengths.length === 0 && draw.whole(0, 1) === 1
  return { circuit: layer ? Circuit.layerNorm(units) : Circuit.batchNorm(units), gives }
}

const map: Step = (draw, comes) => mapTo(draw, comes, draw.whole(1, comes.length === 1 ? 9 : 4))

/** A linear map or convolution to `filters` units or channels; with `same` the other axes keep their lengths. */
const mapTo = (draw: Draw, [channels, ...lengths]: Example, filters: number, same = false): Part => {
  if (lengths.length === 0) return { circuit: Circuit.linear(channels, filters), gives: [filters] }
  const convolution = lengths.length === 1 ? Circuit.conv1d : Circuit.conv2d
  if (same) {
    const padding = draw.whole(0, 1)
    const circuit = convolution({ channels, filters, kernel: 2 * padding + 1, padding })
    return { circuit, gives: [filters, ...lengths] }
  }
  const kernel = draw.whole(1, Math.min(3, ...lengths))
  const [stride, padding] = [draw.whole(1, 2), draw.whole(0, 1)]
  const windows = lengths.map((n) => Math.floor((n + 2 * padding - kernel) / stride) + 1)
  return { circuit: convolution({ channels, filters, kernel, stride, padding }), gives: [filters, ...windows] }
}

/** A linear map of the last axis, the same at every position. */
const along: Step = (draw, comes) => {
  const [units, outputs] = [comes.at(-1)!, draw.whole(1, 6)]
  return { circuit: Circuit.linear(units, outputs), gives: [comes[0], ...comes.slice(1, -1), outputs] }
}

/** A contiguous selection of the columns. */
const chosen: Step = (draw, [inputs]) => {
  const count = draw.whole(1, inputs)
  return { circuit: Circuit.columns({ inputs, first: draw.whole(0, inputs - count), count }), gives: [count] }
}

const pooled: Step = (draw, [channels, ...lengths]) => {
  const signal = lengths.length === 1
  const kernel = draw.whole(1, Math.min(3, ...lengths))
  const stride = draw.whole(1, 3)
  const [largest, mean] = signal
    ? [Circuit.maxPool1d, Circuit.averagePool1d]
    : [Circuit.maxPool2d, Circuit.averagePool2d]
  const windows = lengths.map((n) => Math.floor((n - kernel) / stride) + 1)
  return { circuit: draw.one([largest, mean])({ kernel, stride }), gives: [channels, ...windows] }
}

/** Turns signals and images into rows, by global pooling or by flattening. */
const inRows: Step = (draw, comes) => {
  const global = [Circuit.globalMaxPool, Circuit.globalAveragePool]
  if (draw.whole(0, 1) === 1) return { circuit: draw.one(global), gives: [comes[0]] }
  return { circuit: Circuit.flatten, gives: [comes.reduce((a, b) => a * b)] }
}

/** A part that keeps the shape of its input: activation functions and two maps, at times with further such blocks inside. */
const keeping: Step = (draw, comes, depth) => {
  const between = mapTo(draw, comes, draw.whole(1, 6), true)
  const inner =
    depth > 0 && draw.whole(0, 2) === 0 ? [draw.one([around, repeated])(draw, between.gives, depth - 1)] : []
  const parts = [
    function_(draw, comes, depth),
    between,
    ...inner,
    draw.one([function_, normalised])(draw, between.gives, depth),
    mapTo(draw, between.gives, comes[0], true)
  ]
  return { circuit: Circuit.sequence(...parts.map(({ circuit }) => circuit)), gives: comes }
}

const around: Step = (draw, comes, depth) => {
  const { circuit, gives } = keeping(draw, comes, depth - 1)
  return { circuit: Circuit.residual(circuit), gives }
}

const repeated: Step = (draw, comes, depth) => {
  const { circuit, gives } = draw.one([keeping, depth > 1 ? around : keeping])(draw, comes, depth - 1)
  return { circuit: Circuit.repeat(circuit, draw.whole(1, 4)), gives }
}

const beside: Step = (draw, comes, depth) => {
  const part = () => {
    const own = mapTo(draw, comes, draw.whole(1, 4), true)
    const next = draw.one([function_, normalised, ...(depth > 1 ? [around, repeated] : [])])(draw, own.gives, depth - 1)
    return { circuit: Circuit.sequence(own.circuit, next.circuit), gives: own.gives }
  }
  const [first, ...others] = [part(), ...Array.from({ length: draw.whole(1, 2) }, part)] as const
  const channels = [first, ...others].reduce((sum, { gives }) => sum + gives[0], 0)
  return {
    circuit: Circuit.branch(first.circuit, ...others.map(({ circuit }) => circuit)),
    gives: [channels, ...comes.slice(1)]
  }
}
