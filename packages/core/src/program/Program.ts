/**
 * A computation as data: named inputs, named outputs and the primitives between them, in an order in which they can run.
 */
import { Effect } from "effect"
import type { DType } from "../tensor/DType.ts"
import type { Shape } from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import * as Tensor from "../tensor/Tensor.ts"

/** A typed graph of primitives; equal programs print alike. */
export interface Program {
  readonly inputs: Readonly<Record<string, Tensor.Tensor>>
  readonly outputs: Readonly<Record<string, Tensor.Tensor>>
  /** Everything that the outputs need, operands before results; unused inputs are left out. */
  readonly nodes: ReadonlyArray<Tensor.Tensor>
}

/** The shape of each input, with its type unless it is float. */
export type Signature = Readonly<Record<string, Shape | { readonly shape: Shape; readonly dtype: DType }>>

/** The nodes that `roots` need, each once, operands before results. */
export const order = (roots: Iterable<Tensor.Tensor>): ReadonlyArray<Tensor.Tensor> => {
  const seen = new Set<Tensor.Tensor>()
  const sorted: Array<Tensor.Tensor> = []
  // An explicit stack: a circuit of a thousand stages is deeper than the call stack should be.
  const pending: Array<{ readonly node: Tensor.Tensor; next: number }> = []
  const visit = (node: Tensor.Tensor) => {
    if (seen.has(node)) return
    seen.add(node)
    pending.push({ node, next: 0 })
  }
  for (const root of roots) {
    visit(root)
    while (pending.length > 0) {
      const top = pending[pending.length - 1]!
      const operand = top.node.operands[top.next++]
      if (operand !== undefined) {
        visit(operand)
      } else {
        sorted.push(top.node)
        pending.pop()
      }
    }
  }
  return sorted
}

/** The program that computes `outputs` from `inputs`. */
export const fromTensors = (inputs: Program["inputs"], outputs: Program["outputs"]): Program => ({
  inputs,
  outputs,
  nodes: order(Object.values(outputs))
})

/** The input tensors of a signature. */
export const inputs = <S extends Signature>(signature: S): { readonly [K in keyof S]: Tensor.Tensor } =>
  Object.fromEntries(
    Object.entries(signature).map(([name, type]) => [
      name,
      "dtype" in type ? Tensor.input(name, type.shape, type.dtype) : Tensor.input(name, type)
    ])
  ) as { readonly [K in keyof S]: Tensor.Tensor }

/** Runs a formula as an Effect that fails with the `ShapeMismatch` it throws, if any. */
export const check = <A>(formula: () => A): Effect.Effect<A, ShapeMismatch> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(formula())
    } catch (error) {
      return error instanceof ShapeMismatch ? Effect.fail(error) : Effect.die(error)
    }
  })

/**
 * Makes the program of a formula over inputs of the given shapes. Fails with `ShapeMismatch`.
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Print, Program } from "@rai/core"
 *
 * const program = Program.make({ z: ["batch", 3], w: [3, 2] }, ({ z, w }) => ({ y: z.matMul(w).tanh() }))
 * Print.print(Effect.runSync(program)).split("\n").length // => 5
 * ```
 */
export const make = <S extends Signature>(
  signature: S,
  formula: (inputs: { readonly [K in keyof S]: Tensor.Tensor }) => Program["outputs"]
): Effect.Effect<Program, ShapeMismatch> =>
  check(() => {
    const given = inputs(signature)
    return fromTensors(given, formula(given))
  })
