/**
 * Training: a plan carried out on an engine, as a stream of events, one a step.
 */
import { Clock, Effect, Queue, Stream } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import * as Coordinates from "../circuit/Coordinates.ts"
import * as Initializer from "../circuit/Initializer.ts"
import type { Dataset } from "../data/Dataset.ts"
import { type Arrays, Engine, type EngineFailed, type Session } from "../engine/Engine.ts"
import { Seed } from "../random/Pseudorandom.ts"
import type { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import { version } from "../Version.ts"
import * as Measurement from "./Measurement.ts"
import type { Phase } from "./Phase.ts"
import * as Plan from "./Plan.ts"
import * as Programs from "./Programs.ts"
import * as Progress from "./Progress.ts"
import type { Trained } from "./Trained.ts"
import type { Finished, TrainingEvent } from "./TrainingEvent.ts"
import { LossNotFinite, WidthsMismatch } from "./TrainingFailed.ts"

/** Where a run stands with all its arrays: enough to go on to the bit. */
export interface Snapshot {
  readonly progress: Progress.Progress
  /** Parameters, auxiliaries, the optimiser's slots and the best parameters, in the plan's coordinates. */
  readonly state: Arrays
}

/** How a run is carried out. */
export interface Options<E = never, R = never> {
  /** The automatic plan where absent. */
  readonly plan?: Plan.Plan
  /** Decides the initial parameters; the service `Seed` where absent. */
  readonly seed?: number
  /** Goes on from here instead of from the plan's start. */
  readonly from?: Snapshot | undefined
  /** Is given a snapshot every two seconds, and once more when the run is interrupted. */
  readonly onSnapshot?: (snapshot: Snapshot) => Effect.Effect<void, E, R>
}

/** What a run can fail with. */
export type TrainingError = EngineFailed | ShapeMismatch | LossNotFinite | WidthsMismatch

const millisecondsBetweenSnapshots = 2000

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
 */
export const stream = <E = never, R = never>(
  circuit: Circuit.Circuit,
  data: Dataset,
  options: Options<E, R> = {}
): Stream.Stream<TrainingEvent, TrainingError | E, Engine | R> =>
  Stream.callback<TrainingEvent, TrainingError | E, Engine | R>(
    (queue) =>
      run(circuit, data, options, (event) => Queue.offer(queue, event)).pipe(
        Effect.andThen(Queue.end(queue)),
        Effect.asVoid
      ),
    { bufferSize: 16, strategy: "suspend" }
  )

/** The run to its end: the trained circuit. */
export const fit = <E = never, R = never>(
  circuit: Circuit.Circuit,
  data: Dataset,
  options: Options<E, R> = {}
): Effect.Effect<Trained, TrainingError | E, Engine | R> =>
  Effect.map(
    run(circuit, data, options, () => Effect.void),
    ({ trained }) => trained
  )

type Emit = (event: TrainingEvent) => Effect.Effect<unknown>

const run = Effect.fnUntraced(function* <E, R>(
  circuit: Circuit.Circuit,
  data: Dataset,
  options: Options<E, R>,
  emit: Emit
) {
  yield* checkWidths(circuit, data)
  const engine = yield* Engine
  const plan = options.plan ?? Plan.auto(circuit)
  const seed = options.seed ?? (yield* Seed)
  const inTanh = plan.coordinates === "tanh" && Coordinates.available(circuit)
  const inner = inTanh ? Coordinates.circuit(circuit) : circuit
  const subject = { circuit: inner, task: data.task, x: data.inputs.shape, y: data.targets.shape }
  const clock = stopwatch(options.from?.progress.seconds ?? 0, yield* Clock.Clock)

  let progress = options.from?.progress ?? Progress.start
  let parameters = options.from === undefined ? initial(circuit, plan, seed, inTanh) : options.from.state
  let outcome: Outcome | undefined
  let from = options.from
  while (progress.phase < plan.phases.length && outcome?.solved !== true) {
    const phase = plan.phases[progress.phase]!
    const carried = carryOut(
      { subject, data, phase, stop: plan.stop, clock, emit, options },
      progress,
      parameters,
      from
    )
    outcome = yield* Effect.scoped(carried)
    parameters = outcome.parameters
    from = undefined
    progress = outcome.progress.with({ phase: progress.phase + 1, step: 0 })
  }
  const names = Object.keys(Circuit.parameters(circuit))
  const own = Object.fromEntries(names.map((name) => [name, parameters[name]!]))
  const trained: Trained = {
    circuit,
    parameters: inTanh ? Coordinates.fromTanh(circuit, own) : own,
    task: data.task,
    inputNames: data.inputNames,
    classNames: data.classNames,
    origin: { plan: Plan.print(plan), seed, engine: engine.name, version }
  }
  const { measurement, solved } = outcome!
  const finished: Finished = { _tag: "Finished", progress: outcome!.progress, measurement, solved, trained }
  yield* emit(finished)
  return finished
})

interface Outcome {
  readonly progress: Progress.Progress
  readonly parameters: Arrays
  readonly measurement: Measurement.Measurement
  readonly solved: boolean
}

interface Running<E, R> {
  readonly subject: Programs.Subject
  readonly data: Dataset
  readonly phase: Phase
  readonly stop: Plan.Stop | undefined
  readonly clock: Stopwatch
  readonly emit: Emit
  readonly options: Options<E, R>
}

/** One phase in a session of its own. */
const carryOut = Effect.fnUntraced(function* <E, R>(
  { clock, data, emit, options, phase, stop, subject }: Running<E, R>,
  before: Progress.Progress,
  parameters: Arrays,
  from: Snapshot | undefined
) {
  const engine = yield* Engine
  let progress = from?.progress ?? anew(before, phase)
  let programs = yield* Programs.make(subject, at(phase, progress.rate))
  const session = yield* engine.session({ x: data.inputs, y: data.targets, ...(from?.state ?? parameters) })
  let measurement = undefined as Measurement.Measurement | undefined
  let diverged = undefined as LossNotFinite | undefined
  const untold: Array<TrainingEvent> = []

  const measure = Effect.fnUntraced(function* () {
    measurement = Measurement.fromReport(subject.circuit, subject.x[0]!, yield* session.advance(programs.measure))
    const { decision, progress: decided } = Progress.decide(progress, phase, measurement, stop)
    progress = decided
    untold.push({ _tag: "Step", phase, progress, measurement })
    if (phase.careful !== undefined && (decision === "keep" || decision === "solved")) yield* keep(session, programs)
    if (decision === "rewind") {
      programs = yield* Programs.make(subject, at(phase, progress.rate))
      yield* session.advance(programs.restore)
      yield* session.write(programs.slots(at(phase, progress.rate).optimizer))
      untold.push({ _tag: "Rewound", phase, progress })
    }
    if (decision === "diverged") {
      const { freeRunLoss, relaxedLoss } = measurement
      const loss = Number.isFinite(freeRunLoss) ? (relaxedLoss ?? freeRunLoss) : freeRunLoss
      diverged = new LossNotFinite({ phase: phase.kind, step: progress.step, rate: progress.rate, loss })
    }
  })
  const oneStep = Effect.fnUntraced(function* () {
    yield* session.advance(programs.step)
    progress = progress.with({ step: progress.step + 1, total: progress.total + 1, seconds: clock() })
    if (phase.kind === "relax" && phase.refresh !== undefined && progress.step % phase.refresh === 0) {
      yield* session.advance(programs.refresh!)
    }
    if (progress.step % phase.interval === 0 || progress.step === phase.steps) yield* measure()
    else untold.push({ _tag: "Step", phase, progress })
  })
  // Told once state and progress agree again: whoever listens may take long, and may end the run meanwhile.
  const tell = Effect.fnUntraced(function* () {
    yield* Effect.forEach(untold.splice(0), emit, { discard: true })
    if (diverged !== undefined) return yield* diverged
  })
  const { onSnapshot } = options
  const snapshot = Effect.suspend(() =>
    onSnapshot === undefined
      ? Effect.void
      : Effect.flatMap(session.read(), ({ x: _x, y: _y, ...state }) => onSnapshot({ progress, state }))
  )
  const loop = Effect.fnUntraced(function* () {
    let saved = clock()
    yield* tell()
    while (progress.ended === undefined && progress.step < phase.steps) {
      yield* Effect.uninterruptible(oneStep())
      yield* tell()
      if (clock() - saved > millisecondsBetweenSnapshots / 1000) {
        yield* snapshot
        saved = clock()
      }
      yield* Effect.yieldNow
    }
  })

  if (from === undefined) {
    if (programs.refresh !== undefined) yield* session.write(yield* session.advance(programs.refresh))
    yield* session.write(programs.slots(phase.optimizer))
    yield* measure()
  }
  yield* Effect.onInterrupt(loop(), () =>
    Effect.ignore(Effect.tapError(snapshot, (error) => Effect.logWarning(`the last snapshot was not kept: ${error}`)))
  )
  const solved = progress.ended === "solved"
  if (phase.careful !== undefined && progress.best !== undefined) yield* session.advance(programs.restore)
  if (measurement === undefined || (phase.careful !== undefined && !solved)) {
    measurement = Measurement.fromReport(subject.circuit, subject.x[0]!, yield* session.advance(programs.measure))
  }
  const trained = yield* session.read(Object.keys(Circuit.parameters(subject.circuit)))
  const outcome: Outcome = { progress, parameters: trained, measurement, solved }
  return outcome
})

const keep = (session: Session, programs: Programs.Programs) =>
  Effect.flatMap(session.advance(programs.keep), (kept) => session.write(kept))

const anew = (before: Progress.Progress, phase: Phase): Progress.Progress =>
  before.with({ rate: phase.optimizer.rate, best: undefined, since: 0, attempts: 0, ended: undefined })

const at = (phase: Phase, rate: number): Phase => ({ ...phase, optimizer: phase.optimizer.withRate(rate) })

const initial = (circuit: Circuit.Circuit, plan: Plan.Plan, seed: number, inTanh: boolean): Arrays => {
  const start = Initializer.table[plan.start](circuit, seed)
  return inTanh ? Coordinates.toTanh(circuit, start) : start
}

/** Fails with `WidthsMismatch` where the first and last width are not what the data have. */
export const checkWidths = (circuit: Circuit.Circuit, data: Dataset): Effect.Effect<void, WidthsMismatch> => {
  const { inputs, outputs } = Circuit.widths(circuit)
  const [features, targets] = [data.inputs.shape[1]!, data.targets.shape[1]!]
  return inputs === features && outputs === targets
    ? Effect.void
    : Effect.fail(new WidthsMismatch({ inputs, outputs, features, targets }))
}

type Stopwatch = () => number

/** Seconds, counted on from `before`. */
const stopwatch = (before: number, clock: Clock.Clock): Stopwatch => {
  const started = clock.currentTimeMillisUnsafe()
  return () => before + (clock.currentTimeMillisUnsafe() - started) / 1000
}
