/**
 * The engine that decides what is right: float64, one loop per primitive, composites by their definition.
 */
import { Effect, Layer, Record } from "effect"
import type { Program } from "../../program/Program.ts"
import * as Rewrite from "../../program/Rewrite.ts"
import { copy, type NdArray } from "../../tensor/NdArray.ts"
import * as Shape from "../../tensor/Shape.ts"
import type { Tensor } from "../../tensor/Tensor.ts"
import * as Binding from "../Binding.ts"
import { type Arrays, Engine, inTurn } from "../Engine.ts"
import { kernels, type Values } from "./Kernels.ts"

const name = "reference"

const values = ({ data, shape }: NdArray): { readonly shape: NdArray["shape"]; readonly data: Float64Array } => ({
  shape,
  data: new Float64Array(data)
})

/** An input as kernels read it: float32 weights are not copied. */
const given = (array: NdArray): Values =>
  array.data instanceof Float32Array ? { shape: array.shape, data: array.data } : values(array)

/** Number of values that take so long that a program must remain interruptible in between. */
const large = 2 ** 18

const evaluate = Effect.fnUntraced(function* (program: Program, inputs: Arrays) {
  const lengths = yield* Binding.lengths(name, program, (input) => inputs[input]?.shape)
  const expanded = Rewrite.expand(program)
  const lasts = lastUses(expanded)
  const known = new Map<Tensor, Values>()
  for (const node of expanded.nodes) {
    const own = value(node, known, inputs, lengths)
    known.set(node, own)
    for (const last of lasts.get(node) ?? []) known.delete(last)
    if (own.data.length >= large) yield* Effect.yieldNow
  }
  return Object.fromEntries(
    Object.entries(expanded.outputs).map(([output, node]) => [output, values(known.get(node)!)])
  )
})

/** The operands that each node is the last to use. */
const lastUses = ({ nodes, outputs }: Program): ReadonlyMap<Tensor, ReadonlyArray<Tensor>> => {
  const kept = new Set(Object.values(outputs))
  const found = new Map<Tensor, Array<Tensor>>()
  for (const node of nodes.toReversed()) {
    for (const operand of node.operands) {
      if (kept.has(operand)) continue
      kept.add(operand)
      found.set(node, [...(found.get(node) ?? []), operand])
    }
  }
  return found
}

const value = (
  node: Tensor,
  known: ReadonlyMap<Tensor, Values>,
  inputs: Arrays,
  lengths: ReadonlyMap<string, number>
): Values => {
  const { attributes, operands, primitive } = node
  if (primitive.name === "input") return given(inputs[attributes.name as string]!)
  if (primitive.name === "constant") return { shape: [], data: Float64Array.of(attributes.value as number) }
  const shape = Shape.resolve(node.shape, lengths)
  const taken = operands.map((operand) => known.get(operand)!)
  return { shape, data: kernels[primitive.name]!(taken, shape, attributes) }
}

/** Runs programs in float64 on one core: for gradients, fixtures and small circuits. */
export const layer: Layer.Layer<Engine> = Layer.effect(
  Engine,
  Binding.guarded({
    name,
    run: evaluate,
    session: (initial) =>
      Effect.sync(() => {
        const state: Record<string, NdArray> = Object.fromEntries(
          Object.entries(initial).map(([entry, array]) => [entry, values(array)])
        )
        return {
          advance: inTurn((program, inputs) =>
            Effect.map(
              Effect.suspend(() => evaluate(program, { ...state, ...inputs })),
              (outputs) => {
                const divided = Binding.divide(outputs, (entry) => entry in state)
                Object.assign(state, divided.state)
                return divided.report
              }
            )
          ),
          read: (names = Object.keys(state)) =>
            Effect.sync(() => Object.fromEntries(names.map((n) => [n, copy(state[n]!)]))),
          write: (entries: Arrays) => Effect.sync(() => void Object.assign(state, Record.map(entries, copy)))
        }
      })
  })
)
