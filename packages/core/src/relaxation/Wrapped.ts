/**
 * Prepares a circuit, in one call, for a training loop of your own: what is relaxed and at what cost, when auxiliaries are refreshed, and the circuit
 * as it is while relaxing is paused.
 */
import { Data, Effect } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import type { Loss } from "../optimization/Loss.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import * as Auxiliaries from "./Auxiliaries.ts"
import * as Cut from "./Cut.ts"
import { evaluate, type Theta } from "./Evaluation.ts"
import * as HiddenLoss from "./HiddenLoss.ts"
import * as RelaxedObjective from "./RelaxedObjective.ts"
import * as Uniforms from "./Uniforms.ts"

/** The cut matches no place of the circuit. */
export class NothingCut extends Data.TaggedError("NothingCut")<{
  readonly include: string
  readonly every: number
  readonly places: string
}> {
  override get message(): string {
    return `expected a cut that matches some of ${this.places}, but ${this.include}, every ${this.every}, matches none; include another kind, cut more often, or cut the output too`
  }
}

/** Settings of the relaxation; the defaults are the paper's. */
export interface Options {
  /** After which blocks the circuit is cut. */
  readonly include?: Cut.Cut["after"]
  /** Every k-th of these places. */
  readonly every?: number
  /** Whether the output is cut too, as in the prototype. */
  readonly output?: boolean
  /** L_h. */
  readonly loss?: HiddenLoss.HiddenLoss
  /** L_h over one cut: mean or sum. */
  readonly energy?: RelaxedObjective.Energy
  readonly λ?: number
  /** Steps between two refreshes; without it auxiliaries are never refreshed. */
  readonly period?: number
}

/** A circuit with its relaxation. Auxiliaries are named by their places, `1.*.1`. */
export interface Wrapped {
  readonly sites: ReadonlySet<string>
  /** Where auxiliaries start, and what a refresh sets them back to: the free run's predictions. x: [batch, inputs] */
  readonly auxiliaries: (θ: Theta, x: Tensor) => Readonly<Record<string, Tensor>>
  /**
   * The relaxed objective (eq. 4); x: [batch, inputs], y: [batch, outputs]. With `training`, blocks use their training-time formulas: dropout finds
   * its numbers in θ under the names from `uniforms`, and batch norm reports the values that its running statistics are to follow.
   */
  readonly objective: (
    L_y: Loss,
    θ: Theta,
    z: (place: string) => Tensor,
    x: Tensor,
    y: Tensor,
    training?: Cut.Training
  ) => RelaxedObjective.Relaxed
  /** Shapes of the numbers that blocks draw in a step, by name, for x: [batch, inputs]. */
  readonly uniforms: (x: ReadonlyArray<number>) => Readonly<Record<string, ReadonlyArray<number>>>
  /** Whether auxiliaries are due for a refresh after this many steps. */
  readonly isDue: (steps: number) => boolean
  /** The free run, with relaxing paused: [batch, inputs] → [batch, outputs]. */
  readonly paused: (θ: Theta, x: Tensor) => Tensor
}

/**
 * Wraps the circuit, as the prototype's `wrap(include, period, loss)` and its `pause` do. Fails with `NothingCut`.
 *
 * ```ts
 * import { Circuit, HiddenLoss, Wrapped } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const circuit = Circuit.perceptron([2, 8, 8, 1])
 * const wrapped = Effect.runSync(Wrapped.make(circuit, { include: "sigmoid", loss: HiddenLoss.huber, period: 50 }))
 * console.log([...wrapped.sites].join(" and "), wrapped.isDue(100)) // => 1 and 3 true
 * ```
 */
export const make = Effect.fn("Wrapped.make")(function* (
  circuit: Circuit.Circuit,
  {
    energy = "mean",
    every = 1,
    include = "linear",
    loss: hidden = HiddenLoss.squared,
    output = false,
    period,
    λ = 1
  }: Options = {}
): Effect.fn.Return<Wrapped, NothingCut> {
  const sites = Cut.sites(circuit, { after: include, every, output })
  if (sites.size === 0) {
    const kinds = new Set(Circuit.sites(circuit).map(({ block }) => block.kind))
    const named = typeof include === "string" ? include : "the predicate"
    return yield* new NothingCut({ include: named, every, places: [...kinds].join(", ") })
  }
  const relaxation: RelaxedObjective.Relaxation = { sites, hidden, energy, λ }
  return {
    sites,
    auxiliaries: (θ, x) => Auxiliaries.freeRun(circuit, sites, θ, x),
    objective: (L_y, θ, z, x, y, training) =>
      RelaxedObjective.make(circuit, { ...relaxation, training }, L_y, θ, z, x, y),
    uniforms: (x) => Uniforms.shapes(circuit, x),
    isDue: (steps) => period !== undefined && steps > 0 && steps % period === 0,
    paused: (θ, x) => evaluate(circuit, θ, x)
  }
})
