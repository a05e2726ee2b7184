/**
 * Walks a circuit once from input to output with the examples at hand and sets each linear map as it is reached: what the data-dependent starts and
 * the sweep have in common.
 */
import { Effect, Record } from "effect"
import type { Block } from "../circuit/Block.ts"
import * as Circuit from "../circuit/Circuit.ts"
import { type Arrays, Engine, type EngineFailed } from "../engine/Engine.ts"
import * as Program from "../program/Program.ts"
import * as NdArray from "../tensor/NdArray.ts"
import type { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import { evaluate } from "./Evaluation.ts"

/** A linear map when the walk reaches it. */
export interface Reached {
  readonly path: string
  /** Its index among the linear maps, from 0; `count` is how many there are. */
  readonly index: number
  readonly count: number
  /** Its input: [rows, inputs], one row per example, or per position within an example. */
  readonly input: NdArray.NdArray
  /** [inputs, outputs], and `bias` [outputs]; changed in place. */
  readonly weight: Float64Array
  readonly bias: Float64Array
  /** The block that follows, if any. */
  readonly next: Block | undefined
}

/** The parameters after the walk, and the prediction of each linear map by path: [examples, …, outputs]. */
export interface Walked {
  readonly parameters: Arrays
  readonly predictions: ReadonlyMap<string, NdArray.NdArray>
}

/**
 * Calls `set` on each linear map, input first; other kinds of blocks are evaluated as usual. Maps inside residual blocks and branches keep their
 * parameters.
 */
export const walk = Effect.fn("ForwardWalk.walk")(function* <E, R>(
  circuit: Circuit.Circuit,
  parameters: Arrays,
  x: NdArray.NdArray,
  set: (map: Reached) => Effect.Effect<void, E, R>
) {
  const left: Record<string, NdArray.NdArray> = Object.fromEntries(
    Object.entries(parameters).map(([name, { data, shape }]) => [name, { shape, data: Float64Array.from(data) }])
  )
  const predictions = new Map<string, NdArray.NdArray>()
  const sites = Circuit.sites(circuit)
  const following = new Map(sites.map(({ path }, i) => [path, sites[i + 1]?.block]))
  const count = mapsOutsideBranches(circuit)
  let index = 0
  const part = (name: string, turn: number, size: number) =>
    (left[name]!.data as Float64Array).subarray(turn * size, (turn + 1) * size)
  const linear = Effect.fnUntraced(function* (
    block: Block,
    { leaf, path, turn, within }: Place,
    input: NdArray.NdArray
  ) {
    const { inputs, outputs } = block.settings as { readonly inputs: number; readonly outputs: number }
    const weight = part(Circuit.join(leaf, "weight"), turn, inputs * outputs)
    const bias = part(Circuit.join(leaf, "bias"), turn, outputs)
    const rows = { shape: [input.data.length / inputs, inputs], data: input.data }
    if (!within) yield* set({ path, index: index++, count, input: rows, weight, bias, next: following.get(path) })
    const prediction = { shape: input.shape.with(-1, outputs), data: affine(rows, weight, bias).data }
    predictions.set(path, prediction)
    return prediction
  })
  const own = (block: Block, { leaf, turn }: Place): Arrays =>
    Record.map(block.parameters, ({ shape }, name) => ({
      shape,
      data: part(Circuit.join(leaf, name), turn, NdArray.size(shape))
    }))
  const visit = (
    part: Circuit.Circuit,
    place: Place,
    h: NdArray.NdArray
  ): Effect.Effect<NdArray.NdArray, E | ShapeMismatch | EngineFailed, R | Engine> => {
    const at = (step: string | number) => ({
      ...place,
      path: Circuit.join(place.path, step),
      leaf: Circuit.join(place.leaf, step)
    })
    switch (part._tag) {
      case "Block":
        return isSet(part) ? linear(part, place, h) : apply(part, h, own(part, place))
      case "Sequence":
        return part.children.reduce<ReturnType<typeof visit>>(
          (before, child, i) => Effect.flatMap(before, (z) => visit(child, at(i), z)),
          Effect.succeed(h)
        )
      case "Repeat":
        return Effect.reduce(
          Array.from({ length: part.times }, (_, turn) => turn),
          () => h,
          (z, t) =>
            visit(part.child, { ...at(t), leaf: Circuit.join(place.leaf, "*"), turn: place.turn * part.times + t }, z)
        )
      case "Branch":
        return Effect.map(
          Effect.forEach(part.children, (child, i) => visit(child, { ...at(i), within: true }, h)),
          (parts) => {
            const concatenated = beside(parts)
            predictions.set(place.path, concatenated)
            return concatenated
          }
        )
      case "Residual":
        return Effect.map(visit(part.child, { ...at(0), within: true }, h), (through) => {
          const sum = { shape: h.shape, data: Float64Array.from(h.data, (z, i) => z + through.data[i]!) }
          predictions.set(place.path, sum)
          return sum
        })
    }
  }
  yield* visit(circuit, { path: "", leaf: "", turn: 0, within: false }, x)
  const walked: Walked = { parameters: left, predictions }
  return walked
})

interface Place {
  readonly path: string
  readonly leaf: string
  readonly turn: number
  /** Whether it lies inside a residual block or branch. */
  readonly within: boolean
}

/** Whether a walk may set a block: a linear map with a bias, which can shift its outputs where they should lie. */
const isSet = ({ kind, parameters }: Block): boolean => kind === "linear" && parameters.bias !== undefined

const mapsOutsideBranches = (circuit: Circuit.Circuit): number => {
  switch (circuit._tag) {
    case "Block":
      return isSet(circuit) ? 1 : 0
    case "Sequence":
      return circuit.children.reduce((total, child) => total + mapsOutsideBranches(child), 0)
    case "Repeat":
      return circuit.times * mapsOutsideBranches(circuit.child)
    case "Residual":
    case "Branch":
      return 0
  }
}

/** Concatenates the arrays along axis 1, example by example. */
const beside = (parts: ReadonlyArray<NdArray.NdArray>): NdArray.NdArray => {
  const [first] = parts as readonly [NdArray.NdArray]
  const examples = first.shape[0]!
  const lengths = parts.map(({ data }) => data.length / examples)
  const length = lengths.reduce((a, b) => a + b)
  const data = new Float64Array(examples * length)
  let start = 0
  parts.forEach((part, i) => {
    const own = lengths[i]!
    for (let e = 0; e < examples; e++) data.set(part.data.subarray(e * own, (e + 1) * own), e * length + start)
    start += own
  })
  const width = parts.reduce((total, { shape }) => total + shape[1]!, 0)
  return { shape: first.shape.with(1, width), data }
}

/** Evaluates a block with the given parameters on an array, on the engine at hand. */
export const apply = Effect.fnUntraced(function* (
  block: Block,
  z: NdArray.NdArray,
  parameters: Arrays = {}
): Effect.fn.Return<NdArray.NdArray, ShapeMismatch | EngineFailed, Engine> {
  const signature = { ...Record.map(parameters, ({ shape }) => shape), z: z.shape }
  const program = yield* Program.make(signature, (given: Readonly<Record<string, Tensor>>) => ({
    y: evaluate(block, (name) => given[name]!, given.z!)
  }))
  const { y } = yield* Engine.use((engine) => engine.run(program, { ...parameters, z }))
  return y!
})

/** a W + b: [examples, inputs] → [examples, outputs] */
export const affine = (a: NdArray.NdArray, weight: Float64Array, bias: Float64Array) => {
  const [examples, inputs] = a.shape as readonly [number, number]
  const outputs = bias.length
  const data = new Float64Array(examples * outputs)
  for (let i = 0; i < examples; i++) {
    const row = data.subarray(i * outputs, (i + 1) * outputs)
    row.set(bias)
    for (let k = 0; k < inputs; k++) {
      const factor = a.data[i * inputs + k]!
      const from = k * outputs
      for (let j = 0; j < outputs; j++) row[j]! += factor * weight[from + j]!
    }
  }
  return { shape: [examples, outputs] as const, data }
}
