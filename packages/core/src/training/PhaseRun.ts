/**
 * One phase carried out in an engine's session of its own.
 */
import { Effect, Record } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import type { Dataset } from "../data/Dataset.ts"
import type { Parts } from "../data/Parts.ts"
import { type Arrays, Engine } from "../engine/Engine.ts"
import * as Auxiliaries from "../relaxation/Auxiliaries.ts"
import * as Segments from "../relaxation/Segments.ts"
import * as NdArray from "../tensor/NdArray.ts"
import * as BatchSource from "./BatchSource.ts"
import * as Drawn from "./Drawn.ts"
import * as Kept from "./Kept.ts"
import * as Measurement from "./Measurement.ts"
import type * as Phase from "./Phase.ts"
import * as PhaseState from "./PhaseState.ts"
import type { Stop } from "./Plan.ts"
import * as Programs from "./Programs.ts"
import * as Progress from "./Progress.ts"
import * as Rates from "./Rates.ts"
import * as TargetUnit from "./TargetUnit.ts"
import type { TrainingEvent } from "./TrainingEvent.ts"
import { CallbackFailed, NumbersLost } from "./TrainingFailed.ts"

/** Where a run stands with all its arrays: enough to go on to the bit. */
export interface Snapshot {
  readonly progress: Progress.Progress
  /** Parameters, auxiliaries, the optimiser's slots and what is held of them, in the plan's coordinates. */
  readonly state: Arrays
}

/** What a phase is carried out on, and who listens. */
export interface PhaseRun<E, R> {
  readonly subject: PhaseState.Subject
  readonly data: Dataset
  readonly validation: Dataset | undefined
  /** Where batches come from, if not from the data. */
  readonly parts?: Parts<E, R> | undefined
  readonly phase: Phase.Phase
  readonly stop: Stop | undefined
  /** What targets are trained in, if not as they are; stop and measurements are in their own unit all the same. */
  readonly unit: TargetUnit.TargetUnit | undefined
  /** Decides the order of batches, and what is drawn. */
  readonly seed: number
  /** Seconds of training so far. */
  readonly clock: () => number
  readonly emit: (event: TrainingEvent) => Effect.Effect<unknown>
  readonly onEvent?: ((event: TrainingEvent) => Effect.Effect<void, E, R>) | undefined
  readonly onSnapshot: ((snapshot: Snapshot) => Effect.Effect<void, E, R>) | undefined
}

/** How a phase ended. */
export interface Outcome {
  readonly progress: Progress.Progress
  readonly parameters: Arrays
  readonly measurement: Measurement.Measurement
  readonly solved: boolean
}

const secondsBetweenSnapshots = 2

/** Steps go to the engine several at once, as many as take about so long: progress and an interrupt are not to wait longer. */
const secondsAtOnce = 0.04

/** The phase from its start, or from a snapshot within it, to its end; the scope holds the session. */
export const carryOut = Effect.fnUntraced(function* <E, R>(
  { clock, data, emit, onEvent, onSnapshot, parts, phase, seed, stop, subject, unit, validation }: PhaseRun<E, R>,
  before: Progress.Progress,
  parameters: Arrays,
  from: Snapshot | undefined
) {
  const engine = yield* Engine
  const { circuit } = subject
  const examples = subject.x[0]!
  // Phases before this one have had orders and noise of their own.
  const labelled = (number: number) => before.phase * 1_000_000_000 + number
  const source =
    phase.batch === undefined
      ? undefined
      : parts === undefined
        ? BatchSource.memory(data, phase.batch, seed, labelled(0))
        : yield* BatchSource.parts(parts, phase.batch, seed, labelled(0))
  const perEpoch = source?.perEpoch ?? 1
  const total = phase.steps ?? phase.epochs * perEpoch
  const interval = phase.interval * perEpoch
  const layout = yield* PhaseState.make(subject, phase)
  const programs = yield* Programs.make(subject, phase, layout)
  let progress = from?.progress ?? anew(before, phase)
  const targets = (y: NdArray.NdArray) => (unit === undefined ? y : TargetUnit.into(unit, y))
  const measuredData: Arrays = {
    x: data.inputs,
    y: targets(data.targets),
    ...(validation && { "validation/x": validation.inputs, "validation/y": targets(validation.targets) })
  }
  const kept = Kept.make(layout.perExample)
  const session = yield* engine.session({ ...measuredData, ...kept.take(from?.state ?? parameters) })
  let measurement = undefined as Measurement.Measurement | undefined
  let failed = undefined as NumbersLost | undefined
  const untold: Array<TrainingEvent> = []

  /** A callback that throws ends the run as one that fails does. */
  const calling = (callback: CallbackFailed["callback"], step: number, call: () => Effect.Effect<void, E, R>) =>
    Effect.catchDefect(Effect.suspend(call), (defect) => {
      const reason = String(defect).split("\n")[0]!
      return Effect.fail(new CallbackFailed({ callback, phase: phase.kind, step, reason }))
    })
  const write = (state: Arrays) => Effect.suspend(() => session.write(kept.take(state)))
  const factor = () => progress.rate / phase.optimizer.rate
  /** What the rules remember, as at first. */
  const remember = Effect.suspend(() =>
    Effect.forEach(layout.slots(factor()), (slots) => write(slots()), { discard: true })
  )
  const look = Effect.suspend(() =>
    Effect.map(
      session.advance(
        programs.measure,
        Record.filter(kept.own(), (_, name) => PhaseState.isOfExamples(name))
      ),
      (report) => Measurement.fromReport(circuit, examples, subject.validation ?? 1, report, (unit?.σ ?? 1) ** 2)
    )
  )

  /** What changes from step to step: rates, λ, what is drawn. */
  const changing = (step: number): Arrays => ({
    ...Rates.values(phase, factor(), step / total),
    ...Drawn.values(layout, phase, seed, labelled(step))
  })
  const advance = Effect.fnUntraced(function* (step: number, count: number) {
    const steps = Array.from({ length: count }, (_, i) => step + i)
    if (source === undefined) return void (yield* session.advance(programs.step, ...steps.map(changing)))
    for (const one of steps) {
      const { indices, x, y } = yield* source.at(one)
      const came = yield* session.advance(programs.step, { ...changing(one), ...kept.rows(indices), x, y: targets(y) })
      kept.scatter(indices, came)
    }
  })
  const refresh = Effect.suspend(() => Effect.flatMap(session.advance(programs.refresh!), write))
  const refreshIfDue = Effect.fnUntraced(function* (done: number) {
    if (phase.kind === "relax" && phase.refresh !== undefined && done % (phase.refresh * perEpoch) === 0) yield* refresh
  })
  /** Room for what is held, so that the engine copies it there; brought here and back, it would take as much memory again. */
  const room = Effect.suspend(() =>
    session.write(
      Record.mapEntries(programs.hold.inputs, ({ shape }, name) => [
        PhaseState.good(name),
        NdArray.full(shape as ReadonlyArray<number>, 0)
      ])
    )
  )
  const hold = Effect.suspend(() => {
    kept.hold()
    return Effect.andThen(held < 0 ? room : Effect.void, session.advance(programs.hold))
  })
  const restore = Effect.suspend(() => {
    kept.restore()
    return session.advance(programs.restore)
  })
  const { sites } = layout
  const cuts = new Map(Segments.places(circuit, sites).map((place) => [`z/${place.name}`, place.sites]))
  /** Where numbers were lost since the state that is held: its steps are taken again, and looked at one by one. */
  const locate = Effect.fnUntraced(function* (since: number, to: number) {
    yield* restore
    for (let step = since; step < to; step++) {
      yield* advance(step, 1)
      yield* refreshIfDue(step + 1)
      const path = lostIn(yield* session.advance(programs.check), cuts) ?? lostIn(prefixed(kept.own()), cuts)
      if (path !== undefined) return { step: step + 1, path }
    }
    return { step: to, path: "the loss" }
  })
  let held = from === undefined ? -1 : (from.progress.held ?? -1)

  const measure = Effect.fnUntraced(function* () {
    measurement = yield* look
    const { decision, progress: decided } = Progress.decide(progress, phase, measurement, stop)
    const finite = Progress.isFinite(measurement)
    const at = progress.step
    const lost = finite ? undefined : held < 0 ? { step: at, path: "the loss" } : yield* locate(held, at)
    progress = decided
    // With validation data, a run that is solved ends with what was the best on these.
    if (decision === "hold" || (decision === "solved" && (validation === undefined || decided.since === 0))) {
      yield* hold
      held = at
      progress = progress.with({ held })
    }
    untold.push({ _tag: "Step", phase, progress, steps: total, measurement })
    if (decision === "rewind" || (decision === "give up" && !finite)) {
      yield* restore
      yield* remember
      // From here on the numbers are those that were held, whatever step they were held at.
      held = at
      progress = progress.with({ held })
      yield* hold
      untold.push({ _tag: "Rewound", phase, progress, lost })
    }
    if (decision === "lost") {
      failed = new NumbersLost({ phase: phase.kind, rate: progress.rate, ...lost! })
      if (held >= 0) {
        yield* restore
        progress = progress.with({ step: held, total: progress.total - (at - held) })
      }
    }
  })
  /** How many steps there are until the state is looked at or refreshed. */
  const stepsLeft = (): number => {
    const { step } = progress
    const refreshed = phase.kind === "relax" && phase.refresh !== undefined ? phase.refresh * perEpoch : interval
    return Math.min(interval - (step % interval), refreshed - (step % refreshed), total - step)
  }
  let atOnce = 1
  const someSteps = Effect.fnUntraced(function* () {
    const count = Math.min(atOnce, stepsLeft())
    const began = clock()
    yield* advance(progress.step, count)
    const seconds = clock()
    atOnce = Math.max(1, Math.min(2 * atOnce, Math.floor((count * secondsAtOnce) / (seconds - began))))
    // The last of them is told with what is measured there, if anything is.
    const isMeasured = (step: number) => step % interval === 0 || step === total
    for (let step = 1; step <= count; step++) {
      progress = progress.with({ step: progress.step + 1, total: progress.total + 1, seconds })
      if (!isMeasured(progress.step)) untold.push({ _tag: "Step", phase, progress, steps: total })
    }
    yield* refreshIfDue(progress.step)
    if (isMeasured(progress.step)) yield* measure()
  })
  const snapshot = Effect.suspend(() =>
    onSnapshot === undefined
      ? Effect.void
      : Effect.flatMap(session.read(), (all) => {
          const state = {
            ...Record.filter(all, (_, name) => !(name in measuredData)),
            ...kept.copies()
          }
          if (lostIn(prefixed(state)) !== undefined) return Effect.void
          return calling("onSnapshot", progress.step, () => onSnapshot({ progress, state }))
        })
  )
  /** What has happened is heard before a snapshot holds it, also where the run is interrupted. */
  const hear = Effect.uninterruptible(
    Effect.suspend(() => {
      const events = untold.splice(0)
      const hearing = (event: TrainingEvent) =>
        onEvent === undefined
          ? Effect.void
          : calling("onEvent", event._tag === "Finished" ? progress.step : event.progress.step, () => onEvent(event))
      return Effect.as(Effect.forEach(events, hearing, { discard: true }), events)
    })
  )
  const keep = (last: Effect.Effect<unknown, unknown, R>) =>
    Effect.ignore(Effect.tapError(last, (error) => Effect.logWarning(`the last snapshot was not kept: ${error}`)))
  // Told once state and progress agree again: whoever listens may take long, and may end the run meanwhile.
  const tell = Effect.fnUntraced(function* () {
    // A listener that fails ends the run, but loses none of its work.
    const events = yield* Effect.tapError(hear, () => keep(snapshot))
    yield* Effect.forEach(events, emit, { discard: true })
    if (failed === undefined) return
    if (held >= 0) yield* snapshot
    return yield* failed
  })
  const loop = Effect.fnUntraced(function* () {
    let saved = clock()
    yield* tell()
    while (progress.ended === undefined && progress.step < total) {
      yield* Effect.uninterruptible(someSteps())
      yield* tell()
      if (clock() - saved > secondsBetweenSnapshots) {
        yield* snapshot
        saved = clock()
      }
      yield* Effect.yieldNow
    }
  })

  if (from === undefined) {
    if (programs.refresh !== undefined) yield* refresh
    if (phase.kind === "relax" && phase.auxiliaries === "sweep") {
      const swept = yield* Auxiliaries.sweep(circuit, sites, parameters, data.inputs)
      yield* write(Object.fromEntries(Object.entries(swept).map(([place, z]) => [`z/${place}`, z])))
    }
    yield* remember
    yield* write(layout.multipliers)
    yield* measure()
  }
  yield* Effect.onInterrupt(loop(), () => keep(Effect.andThen(hear, snapshot)))
  const solved = progress.ended === "solved"
  const toBest =
    validation !== undefined || (phase.careful !== undefined && Number.isFinite(phase.careful.patience) && !solved)
  if (toBest) yield* restore
  if (measurement === undefined || toBest || progress.ended === "give up") {
    measurement = yield* look
    const { freeRunAccuracy: relaxedAccuracy, relaxationGap, relaxedLoss } = measurement
    if (relaxedLoss !== undefined) progress = progress.with({ relaxedLoss, relaxationGap, relaxedAccuracy })
  }
  const trained = yield* session.read(Object.keys(Circuit.parameters(circuit)))
  const outcome: Outcome = { progress, parameters: trained, measurement, solved }
  return outcome
})

const anew = (before: Progress.Progress, phase: Phase.Phase): Progress.Progress =>
  before.with({ rate: phase.optimizer.rate, best: undefined, held: undefined, since: 0, attempts: 0, ended: undefined })

const prefixed = (state: Arrays): Arrays =>
  Object.fromEntries(Object.entries(state).map(([name, array]) => [`lost/${name}`, array]))

/** The first array, and turn, that holds a number that is not finite. */
const lostIn = (report: Arrays, sites: ReadonlyMap<string, ReadonlyArray<string>> = new Map()): string | undefined => {
  for (const [name, { data, shape }] of Object.entries(report)) {
    const index = data.findIndex((value) => !Number.isFinite(value))
    if (index < 0) continue
    const turn = Math.floor((index * (shape[0] ?? 1)) / data.length)
    const array = name.replace("lost/", "")
    const own = sites.get(array)
    return own === undefined ? array.replace("*", String(turn)) : `z/${own[turn] ?? own[0]}`
  }
  return undefined
}
