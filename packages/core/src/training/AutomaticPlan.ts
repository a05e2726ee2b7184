/**
 * The automatic plan, which needs no settings, and the plan of backpropagation alone that it is compared with.
 */
import * as Circuit from "../circuit/Circuit.ts"
import * as Coordinates from "../circuit/Coordinates.ts"
import * as Adam from "../optimization/Adam.ts"
import * as Curve from "../optimization/Curve.ts"
import * as Muon from "../optimization/Muon.ts"
import * as Rprop from "../optimization/Rprop.ts"
import * as Cut from "../relaxation/Cut.ts"
import * as Phase from "./Phase.ts"
import * as Plan from "./Plan.ts"
import type * as Start from "./Start.ts"

const solved: Plan.Stop = { loss: 0.02, accuracy: 1, share: 1e-5 }

/** What the automatic plan considers besides the circuit. */
export interface Asked {
  /** How weights start; the plan's own choice where absent. */
  readonly start?: Start.Name | undefined
  /** Trains in batches of `batch` examples, for `epochs` epochs. */
  readonly batches?: Batches | undefined
}

interface Batches {
  readonly batch: number
  readonly epochs: number
}

/**
 * The automatic plan. By default it starts from a well-scaled initialisation (in tanh coordinates for sigmoid), cuts every tenth map (every
 * (T/10)-th in circuits of under a hundred maps), relaxes for at most 100 steps (150 from 500 maps on) with Rprop from 0.001 (deeper circuits from
 * 0.1/T), then, only if the free run is not good yet, backpropagates carefully with Rprop from 0.01/T. From any other start, where the free run
 * carries no information at first, it cuts every map, initialises auxiliaries by one sweep of local problems, relaxes for at most 200 steps, then
 * backpropagates if need be. It ends once the free run classifies all training examples correctly at a loss below 0.02; for a regression, once less
 * than a hundred-thousandth of the targets' variance is left.
 */
export const auto = (circuit: Circuit.Circuit, asked: Asked = {}): Plan.Plan => {
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
    // From any other start the free run improves only later, so there only non-finite numbers cause a return.
    careful: scaled ? { ...Phase.careful(T < 100 ? 30 : 60), attempts: 1 } : Phase.careful(Number.POSITIVE_INFINITY)
  })
  return autoStart(circuit, start, [relaxing, finishing(T)])
}

/**
 * 0.001, and from a hundred maps on 0.1/T. Rprop changes all weights of a map by the same amount, so a map may grow by its rate times its width
 * along one direction; the free run multiplies T of them, and their joint effect stays constant only while T times the rate does.
 */
const relaxingRate = (T: number): number => Math.min(1e-3, 0.1 / T)

/**
 * Largest Rprop step. Without a bound, steps fit the relaxed problem with maps so large that the free run is wrong between the examples, and
 * diverges on hard data; half this bound doubles the number of steps. With every map cut the bound is lower: twice the first step.
 */
const largestRelaxing = 8e-3

/** Where a circuit is cut: after its maps or, if it has residual blocks, at their sums, since a cut within such a block leaves a path around it. */
const cutsOf = (circuit: Circuit.Circuit): { readonly after: "residual" | "linear"; readonly count: number } => {
  const after = Circuit.sites(circuit).some(({ block }) => block.kind === "residual") ? "residual" : "linear"
  return { after, count: Cut.sites(circuit, { after, every: 1, output: false }).size }
}

/** Whether a sweep reaches every hidden map: its local problems are those of linear blocks. */
const isSwept = (circuit: Circuit.Circuit): boolean =>
  Circuit.sites(circuit).every(({ block, role }) => role !== "map" || block.kind === "linear")

/** Starts from which the free run carries information at any depth. */
const wellScaled: ReadonlySet<Start.Name> = new Set(["orthogonal", "mirrored", "sweep", "lsuv"])

/** PyTorch's start carries no information through many maps; in batches its hidden maps are swept first. */
const informed = (circuit: Circuit.Circuit, start: Start.Name): Start.Name =>
  start === "pytorch" && isSwept(circuit) ? "sweep" : start

/**
 * In batches: a quarter of the epochs with new auxiliaries for each batch and spectral steps, then backpropagation with Adam, cosine decay and
 * gradients clipped to joint norm 1. All rates fall with depth, since all T maps move at once.
 */
const inBatches = (circuit: Circuit.Circuit, start: Start.Name, { batch, epochs }: Batches): Plan.Plan => {
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

/** Backpropagation alone from the automatic plan's start, as a baseline for it. */
export const autoBackpropagation = (circuit: Circuit.Circuit, asked: Asked = {}): Plan.Plan => {
  const { start = "orthogonal" } = asked
  return asked.batches === undefined
    ? autoStart(circuit, start, [finishing(Circuit.depth(circuit))])
    : unending(autoStart(circuit, start, [finishingInBatches(Circuit.depth(circuit), asked.batches)]))
}

/**
 * Backpropagation until the free run is good, with Rprop from 0.01/T, since all T maps move at once, and steps of at most twice that: larger ones
 * memorise hard data. After a hundred steps without a better free run it goes back to the best state and divides the rate by three.
 */
const finishing = (T: number): Phase.Phase =>
  Phase.backpropagate({
    steps: 600,
    optimizer: Rprop.make(0.01 / T, { largest: 0.02 / T }),
    interval: 5,
    careful: { ...Phase.careful(100), attempts: 3 }
  })

// The user asked for a number of epochs, so all of them are run.
const unending = (plan: Plan.Plan): Plan.Plan => new Plan.Plan({ ...plan, said: { ...plan.said, stop: undefined } })

const autoStart = (circuit: Circuit.Circuit, start: Start.Name, phases: ReadonlyArray<Phase.Phase>): Plan.Plan =>
  new Plan.Plan({
    phases,
    said: { start, coordinates: Coordinates.available(circuit) ? "tanh" : "plain", stop: solved }
  })
