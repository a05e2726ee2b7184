/**
 * Runs one phase: its steps, the decision after each measurement, and the notifications.
 */
import { Cause, Effect } from "effect"
import type { Arrays } from "../engine/Engine.ts"
import type * as Measurement from "./Measurement.ts"
import type * as Phase from "./Phase.ts"
import * as PhaseSession from "./PhaseSession.ts"
import type { Stop } from "./Plan.ts"
import * as Progress from "./Progress.ts"
import type { Underway } from "./TrainingEvent.ts"
import { CallbackFailed, NumbersLost } from "./TrainingFailed.ts"

/** Progress of a run with all its arrays: enough to continue bit for bit. */
export interface Snapshot {
  readonly progress: Progress.Progress
  /** Parameters, auxiliaries, optimiser slots and their held copies, in the plan's coordinates. */
  readonly state: Arrays
}

/** What a phase trains on, and who is notified. */
export interface PhaseRun<E, R> extends PhaseSession.Work<E, R> {
  readonly stop: Stop | undefined
  /** Seconds of training so far. */
  readonly clock: () => number
  readonly emit: (event: Underway) => Effect.Effect<unknown>
  readonly onEvent: ((event: Underway) => Effect.Effect<void, E, R>) | undefined
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

/** Duration of one call to the engine, in seconds. Several steps are sent at once, but progress and interruption must not wait longer than this. */
const secondsAtOnce = 0.04

/** Runs the phase from its start, or from a snapshot within it, to its end; the scope owns the session. */
export const carryOut = Effect.fnUntraced(function* <E, R>(
  run: PhaseRun<E, R>,
  before: Progress.Progress,
  parameters: Arrays,
  from: Snapshot | undefined
) {
  const { clock, emit, onEvent, onSnapshot, phase, stop, validation } = run
  const session = yield* PhaseSession.open(run, before.phase, from ?? { parameters })
  let progress = from?.progress ?? anew(before, phase)
  let held = from?.progress.held ?? -1
  let measurement = undefined as Measurement.Measurement | undefined
  let failed = undefined as NumbersLost | undefined
  const untold: Array<Underway> = []
  const factor = () => progress.rate / phase.optimizer.rate

  /** The held state again, and the progress of its step. */
  const atHeld = Effect.suspend(() => {
    progress = { ...progress, step: held, total: progress.total - (progress.step - held) }
    return session.restore
  })
  /** A search that is interrupted, or whose batches fail, leaves a state midway: the run goes on from the held one, and loses the same numbers. */
  const notLocated = (cause: Cause.Cause<unknown>) =>
    keep(Cause.hasInterruptsOnly(cause) ? atHeld : Effect.andThen(atHeld, Effect.andThen(hear, snapshot)))

  const measure = Effect.fnUntraced(function* () {
    measurement = yield* session.look
    const { decision, progress: decided } = Progress.decide(progress, phase, measurement, stop)
    const finite = Progress.isFinite(measurement)
    const at = progress.step
    const lost = finite
      ? undefined
      : held < 0
        ? { step: at, path: "the loss" }
        : yield* Effect.onError(Effect.interruptible(session.locate(held, at, factor())), notLocated)
    progress = decided
    // With validation data, a solved run ends with the parameters that were best on them.
    if (decision === "hold" || (decision === "solved" && (validation === undefined || decided.since === 0))) {
      yield* session.hold
      held = at
      progress = { ...progress, held }
    }
    untold.push({ _tag: "Step", phase, progress, steps: session.total, measurement })
    if (decision === "rewind" || (decision === "give up" && !finite)) {
      yield* session.restore
      yield* session.remember(factor())
      // From here on the state is the held one, whichever step it was held at.
      held = at
      progress = { ...progress, held }
      yield* session.hold
      untold.push({ _tag: "Rewound", phase, progress, lost })
    }
    if (decision === "lost") {
      failed = new NumbersLost({ phase: phase.kind, rate: progress.rate, ...lost! })
      if (held >= 0) yield* atHeld
    }
  })
  let atOnce = 1
  const someSteps = Effect.fnUntraced(function* (
    steps: Effect.Success<ReturnType<typeof session.prepare>>,
    began: number
  ) {
    const count = steps.length
    yield* session.advance(steps)
    const seconds = clock()
    atOnce = Math.max(1, Math.min(2 * atOnce, Math.floor((count * secondsAtOnce) / (seconds - began))))
    // The last step's event carries the measurement, if one is due.
    for (let step = 1; step <= count; step++) {
      progress = { ...progress, step: progress.step + 1, total: progress.total + 1, seconds }
      if (!session.isMeasured(progress.step)) {
        untold.push({ _tag: "Step", phase, progress, steps: session.total })
      }
    }
    yield* session.refreshIfDue(progress.step)
    if (session.isMeasured(progress.step)) yield* measure()
  })

  /** Turns a callback that throws or returns no Effect into a failure of the run. */
  const calling = (callback: CallbackFailed["callback"], step: number, call: () => Effect.Effect<void, E, R>) => {
    const called = Effect.suspend(() => {
      const given: unknown = call()
      return Effect.isEffect(given) ? (given as Effect.Effect<void, E, R>) : Effect.die("it gave no Effect")
    })
    return Effect.catchDefect(called, (defect) => {
      const reason = String(defect).split("\n")[0]!
      return Effect.fail(new CallbackFailed({ callback, phase: phase.kind, step, reason }))
    })
  }
  const snapshot = Effect.suspend(() =>
    onSnapshot === undefined
      ? Effect.void
      : Effect.flatMap(session.state, (state) =>
          state === undefined
            ? Effect.void
            : calling("onSnapshot", progress.step, () => onSnapshot({ progress, state }))
        )
  )
  /** Delivers pending events before a snapshot that includes them is taken, also on interruption. */
  const hear = Effect.uninterruptible(
    Effect.suspend(() => {
      const events = untold.splice(0)
      const hearing = (event: Underway) =>
        onEvent === undefined ? Effect.void : calling("onEvent", event.progress.step, () => onEvent(event))
      return Effect.as(Effect.forEach(events, hearing, { discard: true }), events)
    })
  )
  const keep = (last: Effect.Effect<unknown, unknown, R>) =>
    Effect.ignore(Effect.tapError(last, (error) => Effect.logWarning(`the last snapshot was not kept: ${error}`)))
  // Events are sent once state and progress agree again: a listener may take long, and may end the run meanwhile.
  const tell = Effect.fnUntraced(function* () {
    // A failing listener ends the run, but none of the work is lost.
    const events = yield* Effect.tapError(hear, () => keep(snapshot))
    yield* Effect.forEach(events, emit, { discard: true })
    if (failed === undefined) return
    if (held >= 0) yield* snapshot
    return yield* failed
  })
  const loop = Effect.fnUntraced(function* () {
    let saved = clock()
    yield* tell()
    while (progress.ended === undefined && progress.step < session.total) {
      const [count, began] = [Math.min(atOnce, session.left(progress.step)), clock()]
      // A source of batches or a curve that fails ends the run, but loses none of its work; an interruption is handled below.
      const steps = yield* Effect.onError(session.prepare(progress.step, count, factor()), (cause) =>
        Cause.hasInterruptsOnly(cause) ? Effect.void : keep(snapshot)
      )
      yield* Effect.uninterruptible(someSteps(steps, began))
      yield* tell()
      if (clock() - saved > secondsBetweenSnapshots) {
        yield* snapshot
        saved = clock()
      }
      yield* Effect.yieldNow
    }
  })

  if (from === undefined) yield* measure()
  yield* Effect.onInterrupt(loop(), () => keep(Effect.andThen(hear, snapshot)))
  const solved = progress.ended === "solved"
  const toBest =
    validation !== undefined || (phase.careful !== undefined && Number.isFinite(phase.careful.patience) && !solved)
  if (toBest) yield* session.restore
  if (measurement === undefined || toBest || progress.ended === "give up") {
    measurement = yield* session.look
    const { freeRunAccuracy: relaxedAccuracy, relaxationGap, relaxedLoss } = measurement
    if (relaxedLoss !== undefined) progress = { ...progress, relaxedLoss, relaxationGap, relaxedAccuracy }
  }
  const outcome: Outcome = { progress, parameters: yield* session.parameters, measurement, solved }
  return outcome
})

const anew = (before: Progress.Progress, phase: Phase.Phase): Progress.Progress => ({
  ...before,
  rate: phase.optimizer.rate,
  best: undefined,
  held: undefined,
  since: 0,
  attempts: 0,
  ended: undefined
})
