/**
 * A plan: where weights start, in which coordinates they are trained, and phases in order.
 */
import { Function, Pipeable } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import * as Coordinates from "../circuit/Coordinates.ts"
import type * as Initializer from "../circuit/Initializer.ts"
import * as Rprop from "../optimization/Rprop.ts"
import * as Phase from "./Phase.ts"

/** When a run is over: the free-run training loss below `loss`, and the training accuracy at least `accuracy` where that is given. */
export interface Stop {
  readonly loss: number
  readonly accuracy?: number | undefined
}

interface Parts {
  readonly phases: ReadonlyArray<Phase.Phase>
  /** The initialiser, by the name that `--start` takes. */
  readonly start: Initializer.Name
  readonly coordinates: Coordinates.Coordinates
  readonly stop?: Stop | undefined
}

/** What training follows. */
export class Plan extends Pipeable.Class implements Parts {
  readonly phases: ReadonlyArray<Phase.Phase>
  readonly start: Initializer.Name
  readonly coordinates: Coordinates.Coordinates
  readonly stop: Stop | undefined

  constructor(parts: Parts) {
    super()
    this.phases = parts.phases
    this.start = parts.start
    this.coordinates = parts.coordinates
    this.stop = parts.stop
  }
}

/** Phases in plain coordinates from PyTorch's start. */
export const make = (...phases: ReadonlyArray<Phase.Phase>): Plan =>
  new Plan({ phases, start: "pytorch", coordinates: "plain" })

/** A plan of one relaxing phase; see `Phase.relax` for the defaults. */
export const relax = (options: Parameters<typeof Phase.relax>[0]): Plan => make(Phase.relax(options))

/** A plan of one phase of backpropagation; see `Phase.backpropagate` for the defaults. */
export const backpropagate = (options: Parameters<typeof Phase.backpropagate>[0]): Plan =>
  make(Phase.backpropagate(options))

/**
 * One plan after the other; start, coordinates and stop are the first one's.
 *
 * ```ts
 * import { Plan } from "@rai/core"
 *
 * const plan = Plan.relax({ steps: 250 }).pipe(Plan.andThen(Plan.backpropagate({ steps: 400 })))
 * Plan.print(plan) // => "relax:250:rprop=0.1,backpropagate:400:rprop=0.001"
 * ```
 */
export const andThen: {
  (next: Plan): (plan: Plan) => Plan
  (plan: Plan, next: Plan): Plan
} = Function.dual(2, (plan: Plan, next: Plan) => new Plan({ ...plan, phases: [...plan.phases, ...next.phases] }))

/** The plan from another start: `pytorch`, `orthogonal`, `glorot`, `he`. */
export const startingAt: {
  (start: Initializer.Name): (plan: Plan) => Plan
  (plan: Plan, start: Initializer.Name): Plan
} = Function.dual(2, (plan: Plan, start: Initializer.Name) => new Plan({ ...plan, start }))

/** The plan ended as soon as the free run on the training data is good enough. */
export const stoppingAt: {
  (stop: Stop): (plan: Plan) => Plan
  (plan: Plan, stop: Stop): Plan
} = Function.dual(2, (plan: Plan, stop: Stop) => new Plan({ ...plan, stop }))

/** The plan trained in other coordinates; `tanh` is for circuits whose sigmoids stand between linear maps. */
export const inCoordinates: {
  (coordinates: Coordinates.Coordinates): (plan: Plan) => Plan
  (plan: Plan, coordinates: Coordinates.Coordinates): Plan
} = Function.dual(2, (plan: Plan, coordinates: Coordinates.Coordinates) => new Plan({ ...plan, coordinates }))

/** The phases as `--plan` takes them. */
export const print = (plan: Plan): string => plan.phases.map(Phase.print).join(",")

const solved: Stop = { loss: 0.02, accuracy: 1 }

/**
 * The automatic plan: a well-scaled start, tanh coordinates for sigmoid, a cut every tenth map (fewer in circuits of under a hundred maps),
 * at most 60 relaxing steps with Rprop 0.001, then, only if the free run is not good yet, careful backpropagation at 0.01/T.
 */
export const auto = (circuit: Circuit.Circuit): Plan => {
  const T = Circuit.depth(circuit)
  const every = Math.max(1, Math.min(10, Math.round(T / 10)))
  const relaxing = Phase.relax({
    steps: 60,
    optimizer: Rprop.make(1e-3),
    cut: { after: "linear", every, output: false }
  })
  return autoStart(circuit, T < 2 ? [finishing(T)] : [relaxing, finishing(T)])
}

/** Backpropagation alone from the automatic plan's start, at its rate and with its stop: what the automatic plan is to be held against. */
export const autoBackpropagation = (circuit: Circuit.Circuit): Plan =>
  autoStart(circuit, [finishing(Circuit.depth(circuit))])

const finishing = (T: number): Phase.Phase =>
  Phase.backpropagate({
    steps: 120,
    optimizer: Rprop.make(0.01 / T),
    interval: 5,
    careful: { patience: 30, divisor: 3, attempts: 5 }
  })

const autoStart = (circuit: Circuit.Circuit, phases: ReadonlyArray<Phase.Phase>): Plan =>
  new Plan({
    phases,
    start: "orthogonal",
    coordinates: Coordinates.available(circuit) ? "tanh" : "plain",
    stop: solved
  })
