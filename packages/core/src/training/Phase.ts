/**
 * One phase of a plan: a way of training for at most a number of steps, or of epochs of batches.
 */
import * as Circuit from "../circuit/Circuit.ts"
import * as Adam from "../optimization/Adam.ts"
import type { Curve } from "../optimization/Curve.ts"
import * as Curves from "../optimization/Curve.ts"
import type * as Loss from "../optimization/Loss.ts"
import * as Muon from "../optimization/Muon.ts"
import * as Optimizer from "../optimization/Optimizer.ts"
import type { Regularizer } from "../optimization/Regularizer.ts"
import * as Rprop from "../optimization/Rprop.ts"
import * as Cut from "../relaxation/Cut.ts"
import * as HiddenLoss from "../relaxation/HiddenLoss.ts"
import type { Energy } from "../relaxation/RelaxedObjective.ts"
import * as Throwing from "../tensor/Throwing.ts"

/** When a phase goes back to the held state, and how it lowers its rates then. */
export interface Careful {
  /**
   * Steps, or epochs, without a better free run before it goes back to the best; with `Infinity` it goes back only where numbers become NaN or
   * infinite, to the last good state.
   */
  readonly patience: number
  /** Divisor of the rates each time. */
  readonly divisor: number
  /** Number of returns before it gives up. */
  readonly attempts: number
}

/**
 * Goes back at once where numbers become NaN or infinite, and after `patience` steps without a better free run; each time the rates are divided by
 * 3.
 */
export const careful = (patience: number): Careful => ({ patience, divisor: 3, attempts: 5 })

/** Length of a phase: a number of steps on all examples at once, or of epochs of batches. */
export type Length =
  | { readonly steps: number; readonly epochs?: undefined; readonly batch?: undefined }
  | { readonly epochs: number; readonly batch: number; readonly steps?: undefined }

interface Settings {
  /** L_y; the task's default where absent. */
  readonly loss?: Loss.Loss | undefined
  /** The update rule of Θ. */
  readonly optimizer: Optimizer.Optimizer
  /** Factor on the rates over the course of the phase. */
  readonly curve: Curve
  /** Largest joint norm of the gradients; longer ones are scaled down to it. */
  readonly clip?: number | undefined
  readonly regularizer?: Regularizer | undefined
  /** The parameters that are trained: those of the output maps, or those whose full names match a predicate; all where absent. */
  readonly only?: "output" | ((name: string) => boolean) | undefined
  /** Steps between two measurements of the free run; with batches, epochs. */
  readonly interval: number
  readonly careful?: Careful | undefined
}

interface Relaxing {
  readonly cut: Cut.Cut
  readonly hidden: HiddenLoss.HiddenLoss
  readonly energy: Energy
  /** The weight of the hidden energies. */
  readonly λ: number
  /** Factor on λ over the course of the phase. */
  readonly ramp: Curve
  /** Additional weight of each cut, by its place and index. */
  readonly weight?: ((site: string, index: number) => number) | undefined
  /** The update rule of Z; that of Θ where absent. */
  readonly auxiliaryOptimizer?: Optimizer.Optimizer | undefined
  /** How auxiliaries are initialised: at the free run's predictions, or by one forward sweep. */
  readonly auxiliaries: "free run" | "sweep"
  /** Steps between two refreshes, which set each z to its ẑ of the free run; with batches, epochs; no refreshes where undefined. */
  readonly refresh?: number | undefined
  /** ζ of the penalty ζ mean(z²). */
  readonly penalty?: number | undefined
  /** Standard deviation of the normal noise added to auxiliaries where they enter the next stage. */
  readonly noise?: number | undefined
  /** Rate of the augmented Lagrangian's multipliers, u ← u + 2 λ rate (ẑ − z); no multipliers where undefined. */
  readonly multipliers?: number | undefined
}

/**
 * Trains parameters and auxiliaries jointly on the relaxed objective (eq. 4). With batches, the auxiliaries of all examples are kept, and those of
 * the current batch are trained.
 */
export type Relax = { readonly kind: "relax" } & Length & Settings & Relaxing

/** Computes auxiliaries anew at each step by one backward sweep, then takes one local step of the parameters: see `LocalStep`. */
export type Alternate = { readonly kind: "alternate"; readonly cut: Cut.Cut; readonly centred: boolean } & Length &
  Settings

/** Trains only the parameters, on the free run's output loss. */
export type Backpropagate = { readonly kind: "backpropagate" } & Length & Settings

/** A phase of training. */
export type Phase = Relax | Alternate | Backpropagate

type Options<P extends Phase> = Length & { readonly [K in Exclude<keyof P, "kind" | keyof Length>]?: P[K] | undefined }

const interval = ({ batch }: Length): number => (batch === undefined ? 10 : 1)

type Given<A> = { readonly [K in keyof A]: Exclude<A[K], undefined> }

/** Drops undefined options, so that an option passed on without a value takes its default. */
const given = <A extends object>(options: A) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Given<A>

/** The paper's relaxing phase: every linear map cut, λ = 1, mean squared energies, Rprop 0.1 as in the prototype. */
export const relax = (options: Options<Relax>): Relax => ({
  kind: "relax",
  optimizer: Rprop.make(0.1),
  curve: Curves.constant,
  interval: interval(options),
  cut: Cut.paper,
  hidden: HiddenLoss.squared,
  energy: "mean",
  λ: 1,
  ramp: Curves.constant,
  auxiliaries: "free run",
  ...given(options)
})

/** Mini-batch relaxing: every linear map cut, centred spectral steps (Muon 0.05 without Nesterov's momentum), cosine decay. */
export const alternate = (options: Options<Alternate>): Alternate => ({
  kind: "alternate",
  optimizer: Muon.make(0.05, { momentum: 0.9, nesterov: 0 }),
  curve: Curves.cosine,
  interval: interval(options),
  cut: Cut.paper,
  centred: true,
  ...given(options)
})

/** Backpropagation through the free run, with Rprop 0.001; with batches, with Adam 0.001 and cosine decay. */
export const backpropagate = (options: Options<Backpropagate>): Backpropagate => ({
  kind: "backpropagate",
  optimizer: options.batch === undefined ? Rprop.make(1e-3) : Adam.make(1e-3),
  curve: options.batch === undefined ? Curves.constant : Curves.cosine,
  interval: interval(options),
  ...given(options)
})

/** Returns where a phase cuts the circuit: nowhere if it backpropagates. */
export const sites = (phase: Phase, circuit: Circuit.Circuit): ReadonlySet<string> =>
  phase.kind === "backpropagate" ? new Set() : Cut.sites(circuit, phase.cut)

/** Returns the parameters that a phase trains: all, those of the output maps, or those that a predicate selects. */
export const trained = ({ only }: Phase, circuit: Circuit.Circuit): ReadonlyArray<string> => {
  const names = Object.entries(Circuit.parameters(circuit)).flatMap(([name, of]) =>
    Circuit.isTrained(of) ? [name] : []
  )
  if (only === undefined) return names
  if (typeof only === "function") return names.filter((name) => Throwing.at(`«only» of ${name}`, () => only(name)))
  const ofOutput = Circuit.outputParameters(circuit)
  return names.filter((name) => ofOutput.has(name))
}

/** Prints the phase as `--plan` takes it: `relax:60:rprop=0.001:every=10`, `backpropagate:30:adam=0.001:batch=64`. */
export const print = (phase: Phase): string => {
  const usual = { relax, alternate, backpropagate }[phase.kind]({ ...length(phase) } as never) as Phase
  const parts = [phase.kind, String(phase.steps ?? phase.epochs), Optimizer.print(phase.optimizer)]
  const add = (name: string, value: unknown, byDefault?: unknown) => {
    if (value !== byDefault && value !== undefined) parts.push(`${name}=${value}`)
  }
  add("batch", phase.batch)
  add("curve", phase.curve.name, usual.curve.name)
  add("clip", phase.clip)
  add("l1", phase.regularizer?.l1, phase.regularizer && 0)
  add("l2", phase.regularizer?.l2, phase.regularizer && 0)
  if (phase.loss !== undefined) parts.push("loss=function")
  add("interval", phase.interval, usual.interval)
  if (phase.careful !== undefined) {
    add("patience", phase.careful.patience)
    add("attempts", phase.careful.attempts, careful(0).attempts)
  }
  if (phase.only !== undefined) parts.push(`only=${typeof phase.only === "string" ? phase.only : "predicate"}`)
  if (phase.kind === "backpropagate") return parts.join(":")
  const { cut } = phase
  add("every", cut.every, 1)
  add("after", typeof cut.after === "string" ? cut.after : "predicate", "linear")
  if (phase.kind === "alternate") {
    if (!phase.centred) parts.push("uncentred")
    return parts.join(":")
  }
  add("lambda", phase.λ, 1)
  add("ramp", phase.ramp.name, "constant")
  if (phase.weight !== undefined) parts.push("weight=function")
  add("hidden", phase.hidden.name, "squared")
  add("energy", phase.energy, "mean")
  if (phase.auxiliaryOptimizer !== undefined) parts.push(`z-${Optimizer.print(phase.auxiliaryOptimizer)}`)
  add("refresh", phase.refresh)
  add("penalty", phase.penalty)
  add("noise", phase.noise)
  add("multipliers", phase.multipliers)
  if (phase.auxiliaries === "sweep") parts.push("sweep")
  if (cut.output) parts.push("output")
  return parts.join(":")
}

const length = ({ batch, epochs, steps: number }: Phase) =>
  batch === undefined ? { steps: number } : { epochs, batch }
