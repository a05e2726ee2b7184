/**
 * A plan: where weights start, in which coordinates they are trained, and phases in order.
 */
import { Function, Pipeable } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import * as Coordinates from "../circuit/Coordinates.ts"
import type { Dataset } from "../data/Dataset.ts"
import * as Adam from "../optimization/Adam.ts"
import * as Curve from "../optimization/Curve.ts"
import * as Muon from "../optimization/Muon.ts"
import * as Rprop from "../optimization/Rprop.ts"
import * as Cut from "../relaxation/Cut.ts"
import * as Phase from "./Phase.ts"
import type * as Start from "./Start.ts"
import * as TargetUnit from "./TargetUnit.ts"

/** When a run is over: the free-run training loss below `loss`, and the training accuracy at least `accuracy` where that is given. */
export interface Stop {
  readonly loss: number
  readonly accuracy?: number | undefined
  /** For regression, in place of the loss: what share of the targets' variance may be left, 1 − R². */
  readonly share?: number | undefined
}

/** What a plan says of the whole run; it need not say anything. */
export interface Said {
  /** By the name that `--start` takes. */
  readonly start?: Start.Name
  readonly coordinates?: Coordinates.Coordinates
  /** Undefined where the plan says that there is none. */
  readonly stop?: Stop | undefined
}

/** What training follows. */
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

/** Phases in order, from PyTorch's start in plain coordinates unless the plan is told otherwise. */
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
 * One plan after the other; start, coordinates and stop are the first one's where it says them, else the next one's.
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

/** The plan from another start, by the name that `--start` takes. */
export const startingAt: {
  (start: Start.Name): (plan: Plan) => Plan
  (plan: Plan, start: Start.Name): Plan
} = Function.dual(2, (plan: Plan, start: Start.Name) => saying(plan, { start }))

/** The plan ended as soon as the free run on the training data is good enough. */
export const stoppingAt: {
  (stop: Stop): (plan: Plan) => Plan
  (plan: Plan, stop: Stop): Plan
} = Function.dual(2, (plan: Plan, stop: Stop) => saying(plan, { stop }))

/**
 * The plan whose phases end early: after `patience` steps, or epochs of batches, without a better free run, on validation data where there
 * are any, each goes back to the best parameters and is over. Relaxing phases stay as they are: what they build shows in the free run later.
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

/** The plan with its phases cut after other blocks: a kind, or several as in `Gemm+Conv`. */
export const cuttingAfter: {
  (after: string): (plan: Plan) => Plan
  (plan: Plan, after: string): Plan
} = Function.dual(2, (plan: Plan, after: string) => {
  const phases = plan.phases.map((phase) =>
    phase.kind === "backpropagate" ? phase : { ...phase, cut: { ...phase.cut, after } }
  )
  return new Plan({ ...plan, phases })
})

/** The plan trained in other coordinates; `tanh` is for circuits whose sigmoids stand between linear maps. */
export const inCoordinates: {
  (coordinates: Coordinates.Coordinates): (plan: Plan) => Plan
  (plan: Plan, coordinates: Coordinates.Coordinates): Plan
} = Function.dual(2, (plan: Plan, coordinates: Coordinates.Coordinates) => saying(plan, { coordinates }))

/** The phases as `--plan` takes them. */
export const print = (plan: Plan): string => plan.phases.map(Phase.print).join(",")

/** What a person reads about a plan before it is followed: one line a decision. */
export const describe = (plan: Plan, circuit: Circuit.Circuit): ReadonlyArray<string> => {
  const maps = Circuit.depth(circuit)
  const coordinates = plan.coordinates === "tanh" && Coordinates.available(circuit) ? ", tanh coordinates" : ""
  return [
    `${maps} maps${coordinates}, ${startInWords(plan.start)}`,
    ...plan.phases.map((phase) => describePhase(phase, circuit))
  ]
}

const startInWords = (start: Start.Name): string =>
  start === "sweep" ? "PyTorch's start with its hidden maps swept (sweep)" : `${start} start`

const describePhase = (phase: Phase.Phase, circuit: Circuit.Circuit): string => {
  const { optimizer } = phase
  const length =
    phase.batch === undefined ? `${phase.steps} steps` : `${phase.epochs} epochs of batches of ${phase.batch}`
  const rule = `${optimizer.name} at ${Number(optimizer.rate.toPrecision(2))}`
  if (phase.kind === "backpropagate") return `backpropagate: at most ${length}, ${rule}`
  const cuts = `${Phase.sites(phase, circuit).size} cuts`
  if (phase.kind === "alternate")
    return `alternate: at most ${length}, ${cuts}, auxiliaries anew for each step, ${rule}`
  const from = phase.auxiliaries === "sweep" ? "auxiliaries from one sweep of local problems, " : ""
  return `relax: at most ${length}, ${cuts}, ${from}${rule}`
}

const solved: Stop = { loss: 0.02, accuracy: 1, share: 0.002 }

/** The stop as it is meant for these data: of regression, where it says a share, that of the targets' variance (of 1 where they do not vary). */
export const stopFor = ({ stop }: Plan, { targets, task }: Dataset): Stop | undefined => {
  if (stop?.share === undefined || task !== "regression") return stop
  return { ...stop, loss: stop.share * TargetUnit.of(targets).σ ** 2 }
}

/** What the automatic plan takes into account besides the circuit. */
export interface Asked {
  /** Where weights start; the plan's own choice where absent. */
  readonly start?: Start.Name | undefined
  /** Trains in batches of so many examples, for so many epochs. */
  readonly batches?: Batches | undefined
}

interface Batches {
  readonly batch: number
  readonly epochs: number
}

/**
 * The automatic plan. Of its own choice it begins at a well-scaled start, in tanh coordinates for sigmoid, cuts every tenth map (one in T/10
 * in circuits of under a hundred maps), relaxes for at most 100 steps (150 from 500 maps on) with Rprop from 0.001 (deeper ones from 0.1/T),
 * then, only if the free run is not good yet, backpropagates carefully with Rprop from 0.01/T. From another start, where the free run says
 * nothing at first, it cuts every map, begins with the auxiliaries of one sweep of local problems, relaxes for at most 200 steps, then
 * backpropagates if need be.
 */
export const auto = (circuit: Circuit.Circuit, asked: Asked = {}): Plan => {
  const T = Circuit.depth(circuit)
  const { start = "orthogonal" } = asked
  if (asked.batches !== undefined) return inBatches(circuit, informed(circuit, start), asked.batches)
  const places = cutsOf(circuit)
  if (places.count === 0) return autoStart(circuit, start, [finishing(Math.max(1, T))])
  const scaled = wellScaled.has(start)
  const every = scaled ? Math.max(1, Math.min(10, Math.round(places.count / 10))) : 1
  const relaxing = Phase.relax({
    steps: scaled ? (T < 500 ? 100 : 150) : 200,
    optimizer: Rprop.make(relaxingRate(T), { largest: scaled ? largestRelaxing : 2 * relaxingRate(T) }),
    cut: { after: places.after, every, output: false },
    auxiliaries: scaled || !isSwept(circuit) ? "free run" : "sweep",
    // From another start what relaxing builds shows in the free run only later, so there nothing but lost numbers leads back.
    careful: scaled ? { ...Phase.careful(T < 100 ? 30 : 60), attempts: 1 } : Phase.careful(Number.POSITIVE_INFINITY)
  })
  return autoStart(circuit, start, [relaxing, finishing(T)])
}

/**
 * 0.001, and from a hundred maps on 0.1/T. Rprop moves all numbers of a map alike, so a map may grow by its rate times its width along one
 * direction; the free run multiplies T of them, and what they do together stays the same only while T times the rate does.
 */
const relaxingRate = (T: number): number => Math.min(1e-3, 0.1 / T)

/**
 * How far Rprop's steps may grow. Left to grow, they fit the relaxed problem by maps so large that the free run is wrong between the
 * examples, and blows up on hard data; half of it costs twice the steps. With every map cut it is less still: twice the first step.
 */
const largestRelaxing = 8e-3

/** Where a circuit is cut: after its maps, but of residual blocks at their sums, since a cut within one leaves a way around it. */
const cutsOf = (circuit: Circuit.Circuit): { readonly after: "residual" | "linear"; readonly count: number } => {
  const after = Circuit.sites(circuit).some(({ block }) => block.kind === "residual") ? "residual" : "linear"
  return { after, count: Cut.sites(circuit, { after, every: 1, output: false }).size }
}

/** Whether a sweep reaches every hidden map: its local problems are those of linear blocks. */
const isSwept = (circuit: Circuit.Circuit): boolean =>
  Circuit.sites(circuit).every(({ block, role }) => role !== "map" || block.kind === "linear")

/** Starts from which the free run carries information through any depth. */
const wellScaled: ReadonlySet<Start.Name> = new Set(["orthogonal", "mirrored", "sweep", "lsuv"])

/** PyTorch's start carries no information through many maps; in batches its hidden maps are swept first. */
const informed = (circuit: Circuit.Circuit, start: Start.Name): Start.Name =>
  start === "pytorch" && isSwept(circuit) ? "sweep" : start

/**
 * In batches: a quarter of the epochs with auxiliaries anew for each batch and spectral steps, then backpropagation with Adam, cosine decay
 * and gradients of joint length 1 at most. All rates fall with depth, where all T maps move at once.
 */
const inBatches = (circuit: Circuit.Circuit, start: Start.Name, { batch, epochs }: Batches): Plan => {
  const T = Circuit.depth(circuit)
  const first = Math.ceil(epochs / 4)
  const optimizer = Muon.make(Math.min(0.05, 0.75 / T), { momentum: 0.9, nesterov: 0, decay: 2 / 3 })
  const alternating = Phase.alternate({
    epochs: first,
    batch,
    optimizer,
    cut: { after: cutsOf(circuit).after, every: 1, output: false },
    curve: Curve.constant,
    careful: Phase.careful(10)
  })
  const phases =
    cutsOf(circuit).count === 0 || first === epochs
      ? [finishingInBatches(Math.max(1, T), { batch, epochs })]
      : [alternating, finishingInBatches(T, { batch, epochs: epochs - first })]
  return unending(autoStart(circuit, start, phases))
}

const finishingInBatches = (T: number, length: Batches): Phase.Phase =>
  Phase.backpropagate({
    ...length,
    optimizer: Adam.make(Math.min(1e-3, 0.02 / T)),
    clip: 1,
    careful: Phase.careful(10)
  })

/** Backpropagation alone from the same start as the automatic plan's: what that is to be held against. */
export const autoBackpropagation = (circuit: Circuit.Circuit, asked: Asked = {}): Plan => {
  const { start = "orthogonal" } = asked
  return asked.batches === undefined
    ? autoStart(circuit, start, [finishing(Circuit.depth(circuit))])
    : unending(autoStart(circuit, start, [finishingInBatches(Circuit.depth(circuit), asked.batches)]))
}

/**
 * Backpropagation until the free run is good, with Rprop from 0.01/T, since all T maps move at once, and steps that never grow beyond twice
 * that: larger ones learn hard data by heart. A hundred steps without a better free run mean back to the best and a third of the rate.
 */
const finishing = (T: number): Phase.Phase =>
  Phase.backpropagate({
    steps: 600,
    optimizer: Rprop.make(0.01 / T, { largest: 0.02 / T }),
    interval: 5,
    careful: { ...Phase.careful(100), attempts: 3 }
  })

// Epochs were asked for, so all of them are taken.
const unending = (plan: Plan): Plan => saying(plan, { stop: undefined })

const autoStart = (circuit: Circuit.Circuit, start: Start.Name, phases: ReadonlyArray<Phase.Phase>): Plan =>
  new Plan({
    phases,
    said: { start, coordinates: Coordinates.available(circuit) ? "tanh" : "plain", stop: solved }
  })
