/**
 * Lowers the nodes of a program to kernel calls: broadcasts that a kernel performs itself are left out, and unstacking, splitting or stacking takes
 * one call instead of one per slice.
 */
import type * as tf from "@tensorflow/tfjs-core"
import type { Program } from "../../program/Program.ts"
import { filledWith } from "../../program/Simplify.ts"
import * as Shape from "../../tensor/Shape.ts"
import type { Tensor } from "../../tensor/Tensor.ts"
import type { Call, InPlace } from "./Kernels.ts"

/** The kernels of a backend. */
export interface Kernels {
  /** A kernel for each primitive, and for the composites that the backend computes in one pass. */
  readonly kernels: Readonly<Record<string, InPlace>>
  /** The primitives whose kernels broadcast by themselves. */
  readonly broadcasting: ReadonlySet<string>
}

/** One call: the nodes whose values it needs, and the nodes whose values it computes. */
export interface Lowered {
  readonly operands: ReadonlyArray<Tensor>
  readonly results: ReadonlyArray<Tensor>
  /** Computes the results, and may call `release` before (`InPlace`). */
  readonly run: (operands: ReadonlyArray<tf.Tensor>, release: () => void) => ReadonlyArray<tf.Tensor>
}

/** The calls of a program in order, only those that its outputs need. */
export const lower = (
  program: Program,
  lengths: ReadonlyMap<string, number>,
  { broadcasting, kernels }: Kernels,
  call: Call,
  scalar: (value: number) => tf.Tensor
): ReadonlyArray<Lowered> => {
  const live = liveNodes(program, broadcasting)
  const stacks = stacksOf(live)
  const parts = partitionsOf(live)
  const calls: Array<Lowered> = []
  const done = new Set<Tensor>()
  for (const node of live) {
    if (node.primitive.name === "input" || done.has(node)) continue
    const stack = stacks.get(node)
    const partition = parts.get(node)
    const lowered =
      partition !== undefined
        ? divide(partition, call)
        : stack === undefined
          ? single(node, operandsOf(node, broadcasting), Shape.resolve(node.shape, lengths), kernels, call, scalar)
          : unstack(stack, call)
    calls.push(lowered)
    for (const result of lowered.results) done.add(result)
  }
  return calls
}

const liveNodes = (program: Program, broadcasting: ReadonlySet<string>): ReadonlyArray<Tensor> => {
  const live = new Set<Tensor>(Object.values(program.outputs))
  for (const node of program.nodes.toReversed()) {
    if (live.has(node)) for (const operand of operandsOf(node, broadcasting)) live.add(operand)
  }
  return program.nodes.filter((node) => live.has(node))
}

/** The operands that the kernel gets: not broadcast where it broadcasts by itself and another operand has the full shape. */
const operandsOf = (node: Tensor, broadcasting: ReadonlySet<string>): ReadonlyArray<Tensor> => {
  const slice = sliceOf(node)
  if (slice !== undefined) return [slice.of]
  if (node.primitive.name === "concat") return piecesOf(node) ?? node.operands
  if (!broadcasting.has(node.primitive.name)) return node.operands
  const narrow = node.operands.map((operand) =>
    operand.primitive.name === "broadcast" ? operand.operands[0]! : operand
  )
  const whole = narrow.findIndex((operand) => Shape.equals(operand.shape, node.shape))
  if (whole < 0) return node.operands
  return narrow.map((operand, i) => (operand.shape.length <= node.shape.length ? operand : node.operands[i]!))
}

const single = (
  node: Tensor,
  operands: ReadonlyArray<Tensor>,
  shape: ReadonlyArray<number>,
  kernels: Kernels["kernels"],
  call: Call,
  scalar: (value: number) => tf.Tensor
): Lowered => {
  const { attributes, primitive } = node
  const results = [node]
  const value = filledWith(node)
  if (value !== undefined) {
    const run =
      shape.length === 0 ? () => [scalar(value)] : () => [call("Fill", {}, { shape, value, dtype: "float32" })]
    return { operands: [], results, run }
  }
  const slice = sliceOf(node)
  if (slice !== undefined) return { operands, results, run: ([x]) => [at(call, x!, slice, shape)] }
  if (primitive.name === "concat" && piecesOf(node) !== undefined) {
    return { operands, results, run: (pieces) => [call("Pack", pieces, { axis: attributes.axis })] }
  }
  const kernel = kernels[primitive.name]!
  return { operands, results, run: (given, release) => [kernel(call, given, shape, attributes, release)] }
}

interface Slice {
  readonly of: Tensor
  readonly axis: number
  readonly index: number
}

/** Returns x and i where the node is x[i] along an axis: a slice of length 1 whose axis is then dropped. */
const sliceOf = (node: Tensor): Slice | undefined => {
  const slice = node.operands[0]
  if (node.primitive.name !== "reshape" || slice?.primitive.name !== "slice") return undefined
  const { axis, end, start } = slice.attributes as { axis: number; end: number; start: number }
  const dropped = end - start === 1 && Shape.equals(node.shape, slice.shape.toSpliced(axis, 1))
  return dropped ? { of: slice.operands[0]!, axis, index: start } : undefined
}

const at = (call: Call, x: tf.Tensor, { axis, index }: Slice, shape: ReadonlyArray<number>): tf.Tensor => {
  const part = x.shape.map((n, along) => (along === axis ? 1 : n))
  const slice = call("Slice", { x }, { begin: part.map((_, along) => (along === axis ? index : 0)), size: part })
  const result = call("Reshape", { x: slice }, { shape })
  slice.dispose()
  return result
}

interface Stack {
  readonly of: Tensor
  readonly axis: number
  readonly slices: ReadonlyArray<Tensor>
}

/** By slice, the stacks of which more than half the slices are used. */
const stacksOf = (nodes: ReadonlyArray<Tensor>): ReadonlyMap<Tensor, Stack> => {
  const found = new Map<Tensor, Map<number, Array<Tensor>>>()
  for (const node of nodes) {
    const slice = sliceOf(node)
    if (slice === undefined) continue
    const axes = found.get(slice.of) ?? new Map<number, Array<Tensor>>()
    axes.set(slice.axis, [...(axes.get(slice.axis) ?? []), node])
    found.set(slice.of, axes)
  }
  const stacks = new Map<Tensor, Stack>()
  for (const [of, axes] of found) {
    for (const [axis, slices] of axes) {
      if (2 * slices.length <= (of.shape[axis] as number)) continue
      for (const slice of slices) stacks.set(slice, { of, axis, slices })
    }
  }
  return stacks
}

const unstack = ({ axis, of, slices }: Stack, call: Call): Lowered => {
  const indices = slices.map((slice) => sliceOf(slice)!.index)
  return {
    operands: [of],
    results: slices,
    run: ([x]) => {
      const all = call("Unpack", { value: x! }, { axis }) as unknown as ReadonlyArray<tf.Tensor>
      all.forEach((slice, index) => {
        if (!indices.includes(index)) slice.dispose()
      })
      return indices.map((index) => all[index]!)
    }
  }
}

interface Partition {
  readonly of: Tensor
  readonly axis: number
  /** The slices in order, which together cover the axis. */
  readonly slices: ReadonlyArray<Tensor>
}

/** By slice, the partitions: slices that together cover an axis without overlap. */
const partitionsOf = (nodes: ReadonlyArray<Tensor>): ReadonlyMap<Tensor, Partition> => {
  const slices = nodes.filter(({ primitive }) => primitive.name === "slice")
  const found = new Map<Tensor, Partition>()
  for (const [of, own] of Map.groupBy(slices, ({ operands }) => operands[0]!)) {
    const axis = own[0]!.attributes.axis as number
    const bounds = (node: Tensor) => node.attributes as { readonly start: number; readonly end: number }
    const sorted = own.toSorted((a, b) => bounds(a).start - bounds(b).start)
    const whole =
      own.every(({ attributes }) => attributes.axis === axis) &&
      sorted.every((slice, i) => bounds(slice).start === (i === 0 ? 0 : bounds(sorted[i - 1]!).end)) &&
      bounds(sorted.at(-1)!).end === of.shape[axis]
    if (whole) for (const slice of own) found.set(slice, { of, axis, slices: sorted })
  }
  return found
}

const divide = ({ axis, of, slices }: Partition, call: Call): Lowered => {
  const numOrSizeSplits = slices.map(({ shape }) => shape[axis] as number)
  return {
    operands: [of],
    results: slices,
    run: ([x]) => call("SplitV", { x: x! }, { numOrSizeSplits, axis }) as unknown as ReadonlyArray<tf.Tensor>
  }
}

/** The operands of a concatenation that is a stack, each before an axis of length 1 was inserted. */
const piecesOf = (node: Tensor): ReadonlyArray<Tensor> | undefined => {
  const axis = node.attributes.axis as number
  const pieces = node.operands.map((operand) => (operand.primitive.name === "reshape" ? operand.operands[0]! : operand))
  const stacked = node.operands.every(
    (operand, i) => operand !== pieces[i] && Shape.equals(operand.shape, pieces[i]!.shape.toSpliced(axis, 0, 1))
  )
  return stacked ? pieces : undefined
}
