/**
 * Training: a plan carried out on an engine, as a stream of events, one a step.
 */
import { Clock, Effect, Queue, Stream } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import * as Coordinates from "../circuit/Coordinates.ts"
import * as Alike from "../data/Alike.ts"
import * as Batches from "../data/Batches.ts"
import type { DataInvalid } from "../data/DataInvalid.ts"
import type { Dataset } from "../data/Dataset.ts"
import type { Parts } from "../data/Parts.ts"
import * as Setting from "../data/Setting.ts"
import { Engine, type EngineFailed } from "../engine/Engine.ts"
import * as Program from "../program/Program.ts"
import { Seed } from "../random/Pseudorandom.ts"
import * as FreeRun from "../relaxation/FreeRun.ts"
import * as Uniforms from "../relaxation/Uniforms.ts"
import type { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import { version } from "../Version.ts"
import * as AutomaticPlan from "./AutomaticPlan.ts"
import * as Phase from "./Phase.ts"
import * as PhaseFault from "./PhaseFault.ts"
import type * as PhaseRun from "./PhaseRun.ts"
import * as Plan from "./Plan.ts"
import * as Progress from "./Progress.ts"
import * as Start from "./Start.ts"
import * as TargetUnit from "./TargetUnit.ts"
import type { Trained } from "./Trained.ts"
import type { Finished, TrainingEvent } from "./TrainingEvent.ts"
import { type CallbackFailed, type NumbersLost, PlanUnfit, WidthsMismatch } from "./TrainingFailed.ts"

/**
 * How a run is carried out. E and R are what `parts`, `onEvent` and `onSnapshot` may fail with and ask for, together: where these differ, say them,
 * as in `Training.fit<DataInvalid | PlatformError, FileSystem>(…)`.
 */
export interface Options<E = never, R = never> {
  /** The automatic plan where absent. */
  readonly plan?: Plan.Plan
  /** Data that parameters are never trained on; where given, they decide which parameters are the best. */
  readonly validation?: Dataset | undefined
  /** Where batches come from, of data larger than memory; `data` is then a part of them, which measurements and starts look at. */
  readonly parts?: Parts<E, R> | undefined
  /** Decides the initial parameters, the order of batches and noise; the service `Seed` where absent. */
  readonly seed?: number
  /** Goes on from here instead of from the plan's start. */
  readonly from?: PhaseRun.Snapshot | undefined
  /** Is told each event before anybody else, and, unless it fails, before a snapshot that holds it is taken: for what must not be lost. */
  readonly onEvent?: (event: TrainingEvent) => Effect.Effect<void, E, R>
  /** Is given a snapshot every two seconds, and once more when the run is interrupted, loses its numbers, or `onEvent` fails. */
  readonly onSnapshot?: (snapshot: PhaseRun.Snapshot) => Effect.Effect<void, E, R>
}

/** What a run can fail with. */
export type TrainingError = EngineFailed | ShapeMismatch | NumbersLost | CallbackFailed | Unfit

/** Why a run cannot begin. */
export type Unfit = WidthsMismatch | PlanUnfit | DataInvalid

/**
 * The run as a stream of events. Taking fewer events stops it; its memory is given back either way.
 *
 * ```ts
 * import { Circuit, Moons, Plan, ReferenceEngine, Training } from "@rai/core"
 * import { Effect, Stream } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const data = yield* Moons.make({ examples: 20, seed: 1 })
 *   const circuit = Circuit.perceptron([2, 4, 4, 1], { activation: "tanh" })
 *   const events = Training.stream(circuit, data, { plan: Plan.relax({ steps: 3 }) })
 *   return yield* Stream.runCollect(events)
 * })
 * const events = await Effect.runPromise(Effect.provide(program, ReferenceEngine.layer))
 * events.length // => 5
 * ```
 *
 * What other libraries call callbacks is what is done with the stream: looked at as it passes, ended early, counted. A consumer that fails
 * ends the run, and `onSnapshot` is given where it stood.
 *
 * ```ts
 * import { Circuit, Moons, Plan, ReferenceEngine, Training } from "@rai/core"
 * import { Effect, Stream } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const data = yield* Moons.make({ examples: 20, seed: 1 })
 *   const circuit = Circuit.perceptron([2, 8, 8, 1], { activation: "tanh" })
 *   return yield* Training.stream(circuit, data, { plan: Plan.relax({ steps: 500, interval: 1 }) }).pipe(
 *     Stream.filter((event) => event._tag === "Step"),
 *     Stream.tap(({ measurement }) => Effect.logDebug(measurement?.relaxedLoss)), // a callback of every step
 *     Stream.takeUntil(({ measurement }) => measurement!.freeRunLoss < 0.5), // early stopping by any rule
 *     Stream.runFold(() => 0, (largest, { measurement }) => Math.max(largest, measurement!.relaxationGap!))
 *   )
 * })
 * const gap = await Effect.runPromise(Effect.provide(program, ReferenceEngine.layer))
 * gap > 0 // => true
 * ```
 */
export const stream = <E = never, R = never>(
  circuit: Circuit.Circuit,
  data: Dataset,
  options: Options<E, R> = {}
): Stream.Stream<TrainingEvent, TrainingError | E, Engine | R> =>
  Stream.callback<TrainingEvent, TrainingError | E, Engine | R>(
    (queue) =>
      carryOut(circuit, data, options, (event) => Queue.offer(queue, event)).pipe(
        Effect.andThen(Queue.end(queue)),
        Effect.asVoid
      ),
    { bufferSize: 16, strategy: "suspend" }
  )

/** The run to its end: its last event, the trained circuit with what was measured there. */
export const run = <E = never, R = never>(
  circuit: Circuit.Circuit,
  data: Dataset,
  options: Options<E, R> = {}
): Effect.Effect<Finished, TrainingError | E, Engine | R> => carryOut(circuit, data, options, () => Effect.void)

/** The run to its end: the trained circuit. */
export const fit = <E = never, R = never>(
  circuit: Circuit.Circuit,
  data: Dataset,
  options: Options<E, R> = {}
): Effect.Effect<Trained, TrainingError | E, Engine | R> =>
  Effect.map(run(circuit, data, options), ({ trained }) => trained)

type Emit = (event: TrainingEvent) => Effect.Effect<unknown>

const carryOut = Effect.fnUntraced(function* <E, R>(
  circuit: Circuit.Circuit,
  data: Dataset,
  options: Options<E, R>,
  emit: Emit
) {
  const plan = options.plan ?? AutomaticPlan.auto(circuit)
  yield* check(circuit, data, plan, options.validation)
  const whole = options.parts === undefined ? undefined : plan.phases.find(isWhole)
  if (whole !== undefined) {
    return yield* new PlanUnfit({
      expected: "phases that train in batches, and keep nothing per example, for data that come in parts",
      came: `${Phase.print(whole)} came`,
      advice: "write backpropagate or alternate with batch=64, or give the data at once"
    })
  }
  const engine = yield* Engine
  const { carryOut } = yield* Effect.promise(() => import("./PhaseRun.ts")) // here, so that importing this module stays cheap
  const seed = options.seed ?? (yield* Seed)
  if (!Setting.seed.fits(seed)) {
    const expected = `a seed that is ${Setting.seed.expected}`
    return yield* new PlanUnfit({ expected, came: `${seed} came`, advice: "give another" })
  }
  const { validation } = options
  const inTanh = plan.coordinates === "tanh" && Coordinates.available(circuit)
  const subject = {
    circuit: inTanh ? Coordinates.circuit(circuit) : circuit,
    task: data.task,
    x: data.inputs.shape,
    y: data.targets.shape,
    validation: validation?.inputs.shape[0]
  }
  const clock = stopwatch(options.from?.progress.seconds ?? 0, yield* Clock.Clock)

  const stop = Plan.stopFor(plan, data)
  const unit = TargetUnit.taken(circuit, plan, data)
  let progress = options.from?.progress ?? Progress.start()
  if (progress.phase >= plan.phases.length) {
    return yield* new PlanUnfit({
      expected: `a snapshot of a phase of the plan, which has ${plan.phases.length}`,
      came: `one of phase ${progress.phase + 1} came`,
      advice: "go on with the plan that the run began with"
    })
  }
  let parameters = options.from?.state
  if (parameters === undefined) {
    const given = yield* Start.table[plan.start](circuit, seed, data.inputs)
    const start = unit === undefined ? given : TargetUnit.start(unit, circuit, given)
    parameters = inTanh ? Coordinates.toTanh(circuit, start) : start
  }
  let outcome: PhaseRun.Outcome | undefined
  let from = options.from
  while (progress.phase < plan.phases.length && outcome?.solved !== true) {
    const phase = plan.phases[progress.phase]!
    const { onEvent, onSnapshot, parts } = options
    const running = { subject, parts, data, validation, phase, stop, unit, seed, clock, emit, onEvent, onSnapshot }
    outcome = yield* Effect.scoped(carryOut(running, progress, parameters, from))
    parameters = outcome.parameters
    from = undefined
    progress = { ...outcome.progress, phase: progress.phase + 1, step: 0 }
  }
  const names = Object.keys(Circuit.parameters(circuit))
  const own = Object.fromEntries(names.map((name) => [name, parameters![name]!]))
  const plain = inTanh ? Coordinates.fromTanh(circuit, own) : own
  const trained: Trained = {
    circuit,
    parameters: unit === undefined ? plain : TargetUnit.back(unit, circuit, plain),
    task: data.task,
    ...(data.preprocessing && { preprocessing: data.preprocessing }),
    inputNames: data.inputNames,
    classNames: data.classNames,
    origin: { plan: Plan.print(plan), seed, engine: engine.name, version }
  }
  const { measurement, solved } = outcome!
  const finished: Finished = { _tag: "Finished", progress: outcome!.progress, measurement, solved, trained }
  yield* emit(finished)
  return finished
})

/** Whether a phase needs all examples at hand. */
const isWhole = (phase: Phase.Phase): boolean => phase.batch === undefined || phase.kind === "relax"

/** What of a data set decides whether it fits. */
export interface Shaped extends Pick<Dataset, "task">, Alike.Named {
  readonly inputs: Pick<Dataset["inputs"], "shape">
  readonly targets: Pick<Dataset["targets"], "shape">
}

/**
 * Fails where circuit, data and plan do not fit together: first and last width that are not the data's, a batch larger than the data, a
 * phase whose cut matches nothing or whose numbers do not do, a stop that no run can reach, validation data of another kind.
 */
export const check = Effect.fn("Training.check")(function* (
  circuit: Circuit.Circuit,
  data: Shaped,
  plan: Plan.Plan,
  validation?: Shaped
) {
  // Widths that do not fit each other show when the free run is written down.
  const { inputs, outputs } = yield* FreeRun.widths(circuit)
  const [features, targets] = [data.inputs.shape[1]!, data.targets.shape[1]!]
  if (inputs !== features || outputs !== targets) {
    return yield* new WidthsMismatch({ inputs, outputs, features, targets })
  }
  if (!Object.values(Circuit.parameters(circuit)).some(Circuit.isTrained)) {
    const advice = "add a linear map, as Circuit.perceptron([2, 8, 1]) has them"
    return yield* new PlanUnfit({ expected: "a circuit with parameters to train", came: "it has none", advice })
  }
  if (validation !== undefined && sort(validation) !== sort(data)) {
    return yield* new PlanUnfit({
      expected: `validation data as the training data, ${sort(data)}`,
      came: `${sort(validation)} came`,
      advice: "read or make both in one way"
    })
  }
  const disordered = validation && Alike.disordered(data, validation)
  if (disordered !== undefined) {
    const expected = `validation data as the training data, ${disordered.expected}`
    const advice = "read them with the columns and classes of the training data"
    return yield* new PlanUnfit({ expected, came: `${disordered.came} came`, advice })
  }
  if (plan.phases.length === 0) {
    return yield* new PlanUnfit({
      expected: "a phase in the plan",
      came: "none came",
      advice: "add one, as in Plan.relax({ steps: 250 })"
    })
  }
  for (const phase of plan.phases) {
    const fault = PhaseFault.of(phase)
    if (fault !== undefined) return yield* new PlanUnfit({ ...fault, advice: "change it in the plan, or leave it out" })
    if (phase.optimizer.name === "rprop" && phase.curve.name !== "constant") {
      return yield* new PlanUnfit({
        expected: "a rule whose rate can follow a curve",
        came: `${Phase.print(phase)} came, and Rprop finds its steps by itself`,
        advice: "leave the curve out, or take adam"
      })
    }
    if (Phase.trained(phase, circuit).length === 0) {
      return yield* new PlanUnfit({
        expected: `parameters that ${Phase.print(phase)} trains`,
        came: "«only» takes none",
        advice: `name some of ${Object.keys(Circuit.parameters(circuit)).slice(0, 3).join(", ")}, …, or leave it out`
      })
    }
    if (phase.batch !== undefined) yield* Batches.count(data.inputs.shape[0]!, phase.batch)
    // A block may ask more of a step than of the free run.
    yield* Program.check(() => Uniforms.step(circuit, [phase.batch ?? data.inputs.shape[0]!, inputs]))
    if (phase.kind === "backpropagate" || Phase.sites(phase, circuit).size > 0) continue
    const kinds = new Set(Circuit.sites(circuit).map(({ block }) => block.kind))
    return yield* new PlanUnfit({
      expected: `a cut that matches some of the circuit's places, ${[...kinds].join(" and ")}, in ${Phase.print(phase)}`,
      came: "it matches none",
      advice: "cut more often (every=1), cut the output too (output), or backpropagate"
    })
  }
  const stops = [plan.stop?.loss, plan.stop?.share].filter((value) => value !== undefined)
  const below = stops.find((value) => !(value > 0))
  if (below !== undefined) {
    return yield* new PlanUnfit({
      expected: "a stop above 0, which a loss can fall below",
      came: `${below} came`,
      advice: "give for instance 0.02, or no stop"
    })
  }
})

/** What data must share to be measured by one circuit. */
const sort = ({ inputs, targets, task }: Shaped): string =>
  `${task} with ${inputs.shape[1]} inputs and ${targets.shape[1]} ${targets.shape[1] === 1 ? "output" : "outputs"}`

/** Seconds, counted on from `before`. */
const stopwatch = (before: number, clock: Clock.Clock) => {
  const started = clock.currentTimeMillisUnsafe()
  return () => before + (clock.currentTimeMillisUnsafe() - started) / 1000
}
