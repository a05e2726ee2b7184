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

/** How much a phase holds. */
export interface Size {
  /** How many numbers Θ, Z and what the rules remember hold, of all examples. */
  readonly parameters: number
  readonly auxiliaries: number
  readonly remembered: number
  /** Bytes held while the phase runs: the state, the best of it so far, the gradients, and the data; the runtime's own apart. */
  readonly memory: number
}

/** The cost of one phase. */
export interface Footprint extends Size {
  /** Floating-point operations of a step. */
  readonly flops: number
  /** Bytes moved in a step, if every operation reads its operands and writes its result once, in float32. */
  readonly bytes: number
}

/** How much a phase holds on a circuit and data of the given shapes; cheaper to know than what a step costs, since no step is written for it. */
export const size = (subject: PhaseState.Subject, phase: Phase.Phase): Effect.Effect<Size, ShapeMismatch> =>
  Effect.map(PhaseState.make(subject, phase), (state) => sizeOf(subject, phase, state))

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
  return { ...sizeOf(subject, phase, state), ...Cost.cost(step) }
})

const sizeOf = ({ x, y }: PhaseState.Subject, phase: Phase.Phase, state: PhaseState.PhaseState): Size => {
  const whole = Object.entries(state.whole)
  const auxiliaries = sum(whole.filter(([name]) => PhaseState.isOfExamples(name)))
  const parameters = sum(whole) - auxiliaries
  const slots = Object.entries(state.stepped).filter(([name]) => !(name in state.whole))
  // What is remembered of auxiliaries that are kept per example is remembered of every one.
  const perExample = x[0]! / (phase.batch ?? x[0]!)
  const kept = sum(slots.filter(([name]) => state.perExample.has(name)))
  const remembered = sum(slots) + kept * (perExample - 1)
  const data = NdArray.size(x) + NdArray.size(y)
  const memory = 4 * (2 * (parameters + auxiliaries + remembered) + 2 * (parameters + auxiliaries) + data)
  return { parameters, auxiliaries, remembered, memory }
}

const sum = (entries: ReadonlyArray<readonly [string, ReadonlyArray<number>]>): number =>
  entries.reduce((total, [, shape]) => total + NdArray.size(shape), 0)
