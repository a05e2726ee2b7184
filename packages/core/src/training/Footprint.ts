/**
 * What training costs, before anything runs.
 */
import { Effect } from "effect"
import * as Cost from "../program/Cost.ts"
import * as NdArray from "../tensor/NdArray.ts"
import type { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type * as Phase from "./Phase.ts"
import * as PhaseState from "./PhaseState.ts"
import * as Programs from "./Programs.ts"

/** The cost of one phase. */
export interface Footprint {
  /** How many numbers Θ, Z and what the rules remember hold, of all examples. */
  readonly parameters: number
  readonly auxiliaries: number
  readonly remembered: number
  /** Floating-point operations of a step. */
  readonly flops: number
  /** Bytes moved in a step, if every operation reads its operands and writes its result once, in float32. */
  readonly bytes: number
  /** Bytes held while the phase runs: the state, the best of it so far, the gradients, and the data; the runtime's own apart. */
  readonly memory: number
}

/**
 * The cost of a phase on a circuit and data of the given shapes.
 *
 * ```ts
 * import { Circuit, Footprint, Phase } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const circuit = Circuit.perceptron([2, 16, 1])
 * const subject = { circuit, task: "binary", x: [100, 2], y: [100, 1] } as const
 * const { auxiliaries, parameters } = Effect.runSync(Footprint.of(subject, Phase.relax({ steps: 10 })))
 * console.log(parameters, auxiliaries) // => 65 1600
 * ```
 */
export const of = Effect.fn("Footprint.of")(function* (
  subject: PhaseState.Subject,
  phase: Phase.Phase
): Effect.fn.Return<Footprint, ShapeMismatch> {
  const state = yield* PhaseState.make(subject, phase)
  const { step } = yield* Programs.make(subject, phase, state)
  const { bytes, flops } = Cost.cost(step)
  const entries = Object.entries(state.whole).map(([name, shape]) => [name, NdArray.size(shape)] as const)
  const isAuxiliary = ([name]: readonly [string, number]) => /^[zu]\//.test(name)
  const auxiliaries = sum(entries.filter(isAuxiliary).map(([, size]) => size))
  const parameters = sum(entries.map(([, size]) => size)) - auxiliaries
  const isMoved = (name: string) => name in state.whole
  const slots = Object.entries(state.stepped).filter(([name]) => !isMoved(name))
  // What is remembered of auxiliaries that are kept per example is remembered of every one.
  const perExample = subject.x[0]! / (phase.batch ?? subject.x[0]!)
  const remembered = sum(
    slots.map(([name, shape]) => NdArray.size(shape) * (state.perExample.has(name) ? perExample : 1))
  )
  const data = NdArray.size(subject.x) + NdArray.size(subject.y)
  const memory = 4 * (2 * (parameters + auxiliaries + remembered) + 2 * (parameters + auxiliaries) + data)
  return { parameters, auxiliaries, remembered, flops, bytes, memory }
})

const sum = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0)
