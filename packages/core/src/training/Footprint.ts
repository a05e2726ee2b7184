/**
 * What training costs, before anything runs.
 */
import { Effect } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import * as Cost from "../program/Cost.ts"
import * as NdArray from "../tensor/NdArray.ts"
import type { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type * as Phase from "./Phase.ts"
import * as PhaseState from "./PhaseState.ts"
import * as Programs from "./Programs.ts"

/** Cost of one phase. */
export interface Footprint {
  /** Number of trained parameters, of auxiliaries, and of values in optimiser state, over all examples. */
  readonly parameters: number
  readonly auxiliaries: number
  readonly remembered: number
  /**
   * Bytes held while the phase runs: the state, the best state so far, the data, and the intermediate results of a step and of a measurement, whose
   * buffers are reused. The runtime's own memory, and whatever an engine wastes, come on top.
   */
  readonly memory: number
  /** Floating-point operations of a step. */
  readonly flops: number
  /** Bytes moved per step if every operation reads its operands and writes its result once, in float32. */
  readonly bytes: number
}

/**
 * Returns the cost of a phase on a circuit and data of the given shapes.
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
  const { measure, step } = yield* Programs.make(subject, phase, state)
  const auxiliaries = sum(Object.entries(state.whole).filter(([name]) => PhaseState.isOfExamples(name)))
  const slots = Object.entries(state.stepped).filter(([name]) => !(name in state.whole))
  // With batches, `stepped` has the optimiser state of one batch's auxiliaries; it is kept for every example.
  const perExample = subject.x[0]! / (phase.batch ?? subject.x[0]!)
  const kept = sum(slots.filter(([name]) => state.perExample.has(name)))
  const remembered = sum(slots) + kept * (perExample - 1)
  const whole = sum(Object.entries(state.whole)) + remembered
  const data = NdArray.size(subject.x) + NdArray.size(subject.y)
  return {
    parameters: Circuit.parameterCount(subject.circuit),
    auxiliaries,
    remembered,
    memory: 4 * (2 * whole + data) + Cost.held(step) + Cost.held(measure),
    ...Cost.cost(step)
  }
})

const sum = (entries: ReadonlyArray<readonly [string, ReadonlyArray<number>]>): number =>
  entries.reduce((total, [, shape]) => total + NdArray.size(shape), 0)
