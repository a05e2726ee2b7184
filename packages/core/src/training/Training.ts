/**
 * Training: runs a plan on an engine, as a stream of events, one per step.
 */
import { Clock, Effect, Queue, Stream } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import * as Coordinates from "../circuit/Coordinates.ts"
import type { Dataset } from "../data/Dataset.ts"
import type { Parts } from "../data/Parts.ts"
import * as Setting from "../data/Setting.ts"
import { Engine, type EngineFailed } from "../engine/Engine.ts"
import { Seed } from "../random/Pseudorandom.ts"
import type { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import { version } from "../Version.ts"
import * as AutomaticPlan from "./AutomaticPlan.ts"
import { check, continues, elements, inParts, type Unfit } from "./Check.ts"
import * as Phase from "./Phase.ts"
import type * as PhaseRun from "./PhaseRun.ts"
import * as Plan from "./Plan.ts"
import * as Progress from "./Progress.ts"
import * as Start from "./Start.ts"
import * as TargetUnit from "./TargetUnit.ts"
import type { Trained } from "./Trained.ts"
import type { Finished, TrainingEvent, Underway } from "./TrainingEvent.ts"
import { type CallbackFailed, type NumbersLost, PlanUnfit } from "./TrainingFailed.ts"

/**
 * Options of a run. E and R are the errors and requirements of `parts`, `onEvent` and `onSnapshot` together; where these differ, state the unions,
 * as in `Training.fit<DataInvalid | PlatformError, FileSystem>(…)`.
 */
export interface Options<E = never, R = never> {
  /** The automatic plan where absent. */
  readonly plan?: Plan.Plan | undefined
  /** Data that parameters are never trained on; if given, they decide which parameters are the best. */
  readonly validation?: Dataset | undefined
  /** Source of batches for data larger than memory; `data` is then a part of them, used for measurements and starts. */
  readonly parts?: Parts<E, R> | undefined
  /** Determines initial parameters, the order of batches and noise; the service `Seed` where absent. */
  readonly seed?: number | undefined
  /** Snapshot to continue from instead of the plan's start. */
  readonly from?: PhaseRun.Snapshot | undefined
  /**
   * Called with each event before anyone else and, unless it fails, before a snapshot that includes the event is taken: for records that must not
   * be lost. The final event is the run's result and is not passed to it.
   */
  readonly onEvent?: ((event: Underway) => Effect.Effect<void, E, R>) | undefined
  /** Called with a snapshot every two seconds, however short the phases are, and once more when the run is interrupted, its numbers become NaN or infinite, or `onEvent`, `parts` or a curve fails. */
  readonly onSnapshot?: ((snapshot: PhaseRun.Snapshot) => Effect.Effect<void, E, R>) | undefined
}

export { check, type Shaped, type Unfit } from "./Check.ts"

/** What a run can fail with. */
export type TrainingError = EngineFailed | ShapeMismatch | NumbersLost | CallbackFailed | Unfit

/**
 * Runs the plan as a stream of events. Taking fewer events stops the run; its memory is released either way.
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
 * What other libraries do with callbacks is done by operators on the stream: observe it, end it early, count. A consumer that fails ends the run,
 * and `onSnapshot` gets the state it reached.
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
      train(circuit, data, options, (event) => Queue.offer(queue, event)).pipe(
        Effect.andThen(Queue.end(queue)),
        Effect.asVoid
      ),
    { bufferSize: 16, strategy: "suspend" }
  )

/** Runs the plan to its end and returns the last event: the trained circuit and its final measurement. */
export const run = <E = never, R = never>(
  circuit: Circuit.Circuit,
  data: Dataset,
  options: Options<E, R> = {}
): Effect.Effect<Finished, TrainingError | E, Engine | R> => train(circuit, data, options, () => Effect.void)

/** Runs the plan to its end and returns the trained circuit. */
export const fit = <E = never, R = never>(
  circuit: Circuit.Circuit,
  data: Dataset,
  options: Options<E, R> = {}
): Effect.Effect<Trained, TrainingError | E, Engine | R> =>
  Effect.map(run(circuit, data, options), ({ trained }) => trained)

type Emit = (event: TrainingEvent) => Effect.Effect<unknown>

const train = Effect.fnUntraced(function* <E, R>(
  circuit: Circuit.Circuit,
  data: Dataset,
  options: Options<E, R>,
  emit: Emit
) {
  const plan = options.plan ?? AutomaticPlan.auto(circuit)
  yield* check(circuit, data, plan, options.validation)
  yield* elements(circuit, data, "training data")
  if (options.validation !== undefined) yield* elements(circuit, options.validation, "validation data")
  const whole = options.parts === undefined ? undefined : plan.phases.find(isWhole)
  if (whole !== undefined) {
    return yield* new PlanUnfit({
      expected: "phases that train in batches, and keep nothing per example, for data that come in parts",
      came: `${Phase.print(whole)} came`,
      advice: "write backpropagate or alternate with batch=64, or give the data at once"
    })
  }
  if (options.parts !== undefined) yield* inParts(options.parts.sizes, plan)
  const engine = yield* Engine
  const { carryOut } = yield* Effect.promise(() => import("./PlanRun.ts")) // here, so that importing this module stays cheap
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
  if (options.from !== undefined) yield* continues(subject, plan, options.from, options.parts?.sizes)
  const clock = stopwatch(options.from?.progress.seconds ?? 0, yield* Clock.Clock)

  const stop = Plan.stopFor(plan, data)
  const unit = TargetUnit.taken(circuit, plan, data)
  const begin = Effect.gen(function* () {
    const given = yield* Start.table[plan.start](circuit, seed, data.inputs)
    const start = unit === undefined ? given : TargetUnit.start(unit, circuit, given)
    return { progress: Progress.start(), state: inTanh ? Coordinates.toTanh(circuit, start) : start }
  })
  const conclude = Effect.fnUntraced(function* ({ measurement, parameters, progress, solved }: PhaseRun.Outcome) {
    const names = Object.keys(Circuit.parameters(circuit))
    const own = Object.fromEntries(names.map((name) => [name, parameters[name]!]))
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
    const finished: Finished = { _tag: "Finished", progress, measurement, solved, trained }
    yield* emit(finished)
    return finished
  })
  const parts = options.parts && {
    ...options.parts,
    read: Stream.tap(options.parts.read, (part) => elements(circuit, part, "a part of the training data"))
  }
  const { onEvent, onSnapshot } = options
  const work = { subject, parts, data, validation, stop, unit, seed, clock, emit, onEvent, onSnapshot }
  return yield* carryOut({ ...work, phases: plan.phases, conclude }, options.from ?? (yield* begin))
})

/** Whether a phase needs all examples in memory. */
const isWhole = (phase: Phase.Phase): boolean => phase.batch === undefined || phase.kind === "relax"

/** Returns a clock of seconds that continues from `before`; the machine's wall clock may be set while the run goes on. */
const stopwatch = (before: number, clock: Clock.Clock) => {
  const started = clock.monotonicTimeNanosUnsafe()
  return () => before + Number(clock.monotonicTimeNanosUnsafe() - started) / 1e9
}
