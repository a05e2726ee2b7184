/**
 * A plan: how weights start, in which coordinates they are trained, and the phases in order.
 */
import { Function, Pipeable } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import * as Coordinates from "../circuit/Coordinates.ts"
import type { Dataset, Task } from "../data/Dataset.ts"
import * as Curve from "../optimization/Curve.ts"
import * as Phase from "./Phase.ts"
import type * as Start from "./Start.ts"
import * as TargetUnit from "./TargetUnit.ts"

/** When a run is over: the free run's training loss is below `loss`, and its training accuracy at least `accuracy` if given. */
export interface Stop {
  readonly loss: number
  readonly accuracy?: number | undefined
  /** For regression, instead of `loss`: fraction of the targets' variance that may be left, 1 − R², of several targets on average. */
  readonly share?: number | undefined
}

/** Settings of the whole run; all are optional. */
export interface Said {
  /** Name of the start, as `--start` takes it. */
  readonly start?: Start.Name
  readonly coordinates?: Coordinates.Coordinates
  /** Undefined if the plan explicitly has no stop. */
  readonly stop?: Stop | undefined
}

/** A plan of training. */
export class Plan extends Pipeable.Class {
  readonly phases: ReadonlyArray<Phase.Phase>
  readonly said: Said

  constructor(parts: { readonly phases: ReadonlyArray<Phase.Phase>; readonly said: Said }) {
    super()
    this.phases = parts.phases
    this.said = parts.said
  }

  get start(): Start.Name {
    return this.said.start ?? "pytorch"
  }

  get coordinates(): Coordinates.Coordinates {
    return this.said.coordinates ?? "plain"
  }

  get stop(): Stop | undefined {
    return this.said.stop
  }
}

/** Creates a plan of phases in order, from PyTorch's start in plain coordinates unless set otherwise. */
export const make = (...phases: ReadonlyArray<Phase.Phase>): Plan => new Plan({ phases, said: {} })

const saying = (plan: Plan, said: Said): Plan => new Plan({ ...plan, said: { ...plan.said, ...said } })

/** A plan of one relaxing phase; see `Phase.relax` for the defaults. */
export const relax = (options: Parameters<typeof Phase.relax>[0]): Plan => make(Phase.relax(options))

/** A plan of one alternating phase; see `Phase.alternate` for the defaults. */
export const alternate = (options: Parameters<typeof Phase.alternate>[0]): Plan => make(Phase.alternate(options))

/** A plan of one phase of backpropagation; see `Phase.backpropagate` for the defaults. */
export const backpropagate = (options: Parameters<typeof Phase.backpropagate>[0]): Plan =>
  make(Phase.backpropagate(options))

/**
 * Concatenates two plans; start, coordinates and stop are the first plan's where it sets them, else the second's.
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
} = Function.dual(
  2,
  (plan: Plan, next: Plan) =>
    new Plan({ phases: [...plan.phases, ...next.phases], said: { ...next.said, ...plan.said } })
)

/** Sets the plan's start, by the name that `--start` takes. */
export const startingAt: {
  (start: Start.Name): (plan: Plan) => Plan
  (plan: Plan, start: Start.Name): Plan
} = Function.dual(2, (plan: Plan, start: Start.Name) => saying(plan, { start }))

/** Ends the plan as soon as the free run on the training data is good enough. */
export const stoppingAt: {
  (stop: Stop): (plan: Plan) => Plan
  (plan: Plan, stop: Stop): Plan
} = Function.dual(2, (plan: Plan, stop: Stop) => saying(plan, { stop }))

/**
 * Stops phases early: after `patience` steps, or epochs of batches, without a better free run (on validation data if there are any), each goes back
 * to the best parameters and ends. Relaxing phases are unchanged: their progress shows in the free run only later.
 *
 * ```ts
 * import { Plan } from "@rai/core"
 *
 * const plan = Plan.relax({ steps: 100 }).pipe(Plan.andThen(Plan.backpropagate({ steps: 400 })), Plan.stoppingEarly(30))
 * Plan.print(plan) // => "relax:100:rprop=0.1,backpropagate:400:rprop=0.001:patience=30:attempts=1"
 * ```
 */
export const stoppingEarly: {
  (patience: number): (plan: Plan) => Plan
  (plan: Plan, patience: number): Plan
} = Function.dual(2, (plan: Plan, patience: number) => {
  const careful = { ...Phase.careful(patience), attempts: 1 }
  return new Plan({
    ...plan,
    phases: plan.phases.map((phase) => (phase.kind === "relax" ? phase : { ...phase, careful }))
  })
})

/** Cuts the plan's phases after other blocks: a kind, or several as in `Gemm+Conv`. */
export const cuttingAfter: {
  (after: string): (plan: Plan) => Plan
  (plan: Plan, after: string): Plan
} = Function.dual(2, (plan: Plan, after: string) => {
  const phases = plan.phases.map((phase) =>
    phase.kind === "backpropagate" ? phase : { ...phase, cut: { ...phase.cut, after } }
  )
  return new Plan({ ...plan, phases })
})

/** Trains the plan in other coordinates; `tanh` is for circuits whose sigmoids stand between linear maps. */
export const inCoordinates: {
  (coordinates: Coordinates.Coordinates): (plan: Plan) => Plan
  (plan: Plan, coordinates: Coordinates.Coordinates): Plan
} = Function.dual(2, (plan: Plan, coordinates: Coordinates.Coordinates) => saying(plan, { coordinates }))

/** Prints the phases as `--plan` takes them. */
export const print = (plan: Plan): string => plan.phases.map(Phase.print).join(",")

/** Describes a plan to the user before it runs on a circuit for a task: one line per decision. */
export const describe = (plan: Plan, circuit: Circuit.Circuit, task: Task): ReadonlyArray<string> => {
  const maps = Circuit.depth(circuit)
  const coordinates = plan.coordinates === "tanh" && Coordinates.available(circuit) ? ", tanh coordinates" : ""
  return [
    `${maps} ${maps === 1 ? "map" : "maps"}${coordinates}, ${startInWords(plan.start, circuit)}`,
    ...plan.phases.map((phase) => describePhase(phase, circuit)),
    ...(plan.stop === undefined ? [] : [describeStop(plan.stop, task)])
  ]
}

const describeStop = ({ accuracy, loss, share }: Stop, task: Task): string => {
  if (task === "regression") {
    return share === undefined
      ? `ends once the free run's loss is below ${loss}`
      : `ends once less than ${Number((100 * share).toPrecision(2))} % of the targets' variance is left`
  }
  const who = accuracy === 1 ? "every training example" : `${100 * (accuracy ?? 0)} % of the training examples`
  const right = accuracy === undefined ? "" : ` with ${who} right`
  return `ends once the free run's loss is below ${loss}${right}`
}

const startInWords = (start: Start.Name, circuit: Circuit.Circuit): string => {
  if (start === "sweep") return "PyTorch's start with its hidden maps swept (sweep)"
  const isDrawn = Object.values(Circuit.parameters(circuit)).some(({ initial }) => initial === undefined)
  return isDrawn || start === "lsuv" ? `${start} start` : "from its own weights"
}

const describePhase = (phase: Phase.Phase, circuit: Circuit.Circuit): string => {
  const { optimizer } = phase
  const length =
    phase.batch === undefined ? `${phase.steps} steps` : `${phase.epochs} epochs of batches of ${phase.batch}`
  const curve = phase.curve === Curve.constant ? "" : `, ${phase.curve.name}`
  const rule = `${optimizer.name} at ${Number(optimizer.rate.toPrecision(2))}${curve}`
  if (phase.kind === "backpropagate") return `backpropagate: at most ${length}, ${rule}`
  const { size } = Phase.sites(phase, circuit)
  const cuts = size === 1 ? "1 cut" : `${size} cuts`
  if (phase.kind === "alternate")
    return `alternate: at most ${length}, ${cuts}, auxiliaries anew for each step, ${rule}`
  const from = phase.auxiliaries === "sweep" ? "auxiliaries from one sweep of local problems, " : ""
  return `relax: at most ${length}, ${cuts}, ${from}${rule}`
}

/** Returns the stop for these data: for a regression with a `share`, that share of the targets' variance (of 1 where they are constant). */
export const stopFor = ({ stop }: Plan, { targets, task }: Dataset): Stop | undefined => {
  if (stop?.share === undefined || task !== "regression") return stop
  return { ...stop, loss: stop.share * TargetUnit.of(targets).variance }
}
