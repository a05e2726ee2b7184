/**
 * Constant folding: what depends on parameters alone is computed when the model is written. A repeated block's weights, kept as one array, become
 * one array per repetition.
 */
import { Engine, NdArray, Program, ReferenceEngine, Rewrite, Tensor } from "@rai/core"
import { Effect } from "effect"

/** A value known in advance, with its name in the model. */
export interface Folded {
  readonly name: string
  readonly array: NdArray.NdArray
}

type Known = Map<Tensor.Tensor, Folded>

/**
 * Computes every float node that depends on `constants`, named by `labels`, and literal numbers alone; broadcasts stay, since operators do them
 * without copies.
 */
export const fold = (
  program: Program.Program,
  constants: Engine.Arrays,
  labels: Readonly<Record<string, string>> = {}
): Effect.Effect<ReadonlyMap<Tensor.Tensor, Folded>> =>
  Effect.gen(function* () {
    const known: Known = new Map()
    for (const node of program.nodes) {
      const folded = yield* value(node, constants, known, labels)
      if (folded !== undefined) known.set(node, folded)
    }
    return known
  }).pipe(Effect.provide(ReferenceEngine.layer), Effect.orDie)

const value = Effect.fnUntraced(function* (
  node: Tensor.Tensor,
  constants: Engine.Arrays,
  known: Known,
  labels: Readonly<Record<string, string>>
) {
  const { attributes, dtype, operands, primitive, shape } = node
  if (primitive.name === "input") {
    const name = attributes.name as string
    const array = constants[name]
    return array === undefined ? undefined : { name: labels[name] ?? name, array }
  }
  if (primitive.name === "constant") {
    const number = attributes.value as number
    return { name: String(number), array: NdArray.full([], number) }
  }
  const decided = operands.every((operand) => isDecided(operand, known)) && shape.every((n) => typeof n === "number")
  if (!decided || dtype !== "float" || primitive.name === "broadcast") return undefined
  const [first] = operands.map((operand) => known.get(operand))
  if (first !== undefined && primitive.name === "reshape") return { ...first, array: { ...first.array, shape } }
  const name = first === undefined ? primitive.name : nameOf(node, first.name)
  const array = first === undefined ? undefined : leading(node, first.array)
  return { name, array: array ?? (yield* evaluate(node, known)) }
})

const isDecided = (node: Tensor.Tensor, known: Known): boolean =>
  known.has(node) || (node.primitive.name === "broadcast" && isDecided(node.operands[0]!, known))

/** `1.17.1.weight` for the slice from 17 to 18 of `1.*.1.weight`. */
const nameOf = ({ attributes, primitive }: Tensor.Tensor, from: string): string => {
  const turn = primitive.name === "slice" && attributes.axis === 0 && attributes.end === Number(attributes.start) + 1
  return turn && from.includes("*") ? from.replace("*", String(attributes.start)) : `${from}.${primitive.name}`
}

/** Slices along the first axis are contiguous, so they need no copy. */
const leading = (
  { attributes, primitive }: Tensor.Tensor,
  { data, shape }: NdArray.NdArray
): NdArray.NdArray | undefined => {
  if (primitive.name !== "slice" || attributes.axis !== 0) return undefined
  const { end, start } = attributes as { start: number; end: number }
  const step = NdArray.size(shape.slice(1))
  return { shape: [end - start, ...shape.slice(1)], data: data.subarray(start * step, end * step) }
}

const evaluate = Effect.fnUntraced(function* (node: Tensor.Tensor, known: Known) {
  const inputs: Record<string, Tensor.Tensor> = {}
  const arrays: Record<string, NdArray.NdArray> = {}
  const given = (operand: Tensor.Tensor): Tensor.Tensor => {
    const folded = known.get(operand)
    if (folded === undefined) return Rewrite.rebuild(operand, operand.operands.map(given))
    const name = String(Object.keys(inputs).length)
    arrays[name] = folded.array
    inputs[name] = Tensor.input(name, folded.array.shape)
    return inputs[name]
  }
  const output = Rewrite.rebuild(node, node.operands.map(given))
  const { data, shape } = (yield* Engine.run(Program.fromTensors(inputs, { output }), arrays)).output!
  return { shape, data: Float32Array.from(data) }
})
