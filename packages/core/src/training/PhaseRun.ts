/**
 * Runs one phase from its begin to its end: takes its steps, measures in between (`Measuring`), and tells of both (`Telling`).
 */
import { Cause, Effect, Exit, Ref } from "effect"
import type { Arrays } from "../engine/Engine.ts"
import type * as Measurement from "./Measurement.ts"
import * as Measuring from "./Measuring.ts"
import * as PhaseSession from "./PhaseSession.ts"
import type { Stop } from "./Plan.ts"
import * as Progress from "./Progress.ts"
import * as Standing from "./Standing.ts"
import * as Telling from "./Telling.ts"
import type { Underway } from "./TrainingEvent.ts"

/** Progress of a run with all its arrays: enough to continue bit for bit. */
export interface Snapshot {
  readonly progress: Progress.Progress
  /** Parameters, auxiliaries, optimiser slots and their held copies, in the plan's coordinates; before a phase has begun, parameters alone. */
  readonly state: Arrays
}

/** What a phase trains on, and who is notified. */
export interface PhaseRun<E, R> extends PhaseSession.Work<E, R> {
  readonly stop: Stop | undefined
  /** Seconds of training so far. */
  readonly clock: () => number
  /** Its reading at the run's last snapshot: phases may be shorter than what lies between two. */
  readonly saved: Ref.Ref<number>
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

/** Begins the phase, or goes on where a snapshot stands within it; the scope owns the session, and keeps its state where it ends by an interruption. */
export const begin = Effect.fnUntraced(function* <E, R>(run: PhaseRun<E, R>, at: Snapshot) {
  const isBegun = Progress.isBegun(at.progress)
  const session = yield* PhaseSession.open(run, at.progress.phase, isBegun ? at : { parameters: at.state })
  const standing = yield* Ref.make(Standing.begun(at.progress, run.phase))
  const running: Standing.Running<E, R> = { run, session, standing }
  if (!isBegun) yield* Measuring.measure(running)
  yield* Effect.addFinalizer((exit) =>
    Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause) ? Telling.keep(Telling.lastSnapshot(running)) : Effect.void
  )
  return running
})

/** Runs a phase that has begun to its end. */
export const end = <E, R>(running: Standing.Running<E, R>) =>
  Effect.andThen(loop(running), Effect.uninterruptible(ended(running)))

/** Takes steps and tells of them until the phase has ended or has no steps left. */
const loop = Effect.fnUntraced(function* <E, R>(running: Standing.Running<E, R>) {
  const { run, session, standing } = running
  let atOnce = 1
  while (true) {
    yield* Telling.tell(running)
    if (run.clock() - (yield* Ref.get(run.saved)) > secondsBetweenSnapshots) {
      yield* Telling.snapshot(running)
      yield* Ref.set(run.saved, run.clock())
    }
    yield* Effect.yieldNow // whoever listens may stop the run here
    const { progress } = yield* Ref.get(standing)
    if (progress.ended !== undefined || progress.step >= session.total) return
    const [count, began] = [Math.min(atOnce, session.left(progress.step)), run.clock()]
    // A source of batches or a curve that fails ends the run, but loses none of its work; so does an interruption (`begin`).
    const steps = yield* Effect.onError(
      session.prepare(progress.step, count, Progress.factor(progress, run.phase)),
      (cause) => (Cause.hasInterruptsOnly(cause) ? Effect.void : Telling.keep(Telling.snapshot(running)))
    )
    const seconds = yield* Effect.uninterruptible(take(running, steps))
    atOnce = Math.max(1, Math.min(2 * atOnce, Math.floor((count * secondsAtOnce) / (seconds - began))))
  }
})

/** Takes the steps that were prepared, and refreshes and measures if that is due; returns the time at which the steps were done. */
const take = Effect.fnUntraced(function* <E, R>(
  running: Standing.Running<E, R>,
  steps: Effect.Success<ReturnType<PhaseSession.PhaseSession<E, R>["prepare"]>>
) {
  const { run, session, standing } = running
  yield* session.advance(steps)
  const seconds = run.clock()
  yield* Ref.update(standing, (now) => Standing.stepped(now, run.phase, session, steps.length, seconds))
  const { step } = (yield* Ref.get(standing)).progress
  yield* session.refreshIfDue(step)
  if (session.isMeasured(step)) yield* Measuring.measure(running)
  return seconds
})

/** The outcome of a phase that has ended, with its best parameters where it looked for these. */
const ended = Effect.fnUntraced(function* <E, R>({ run, session, standing }: Standing.Running<E, R>) {
  const { measurement: last, progress } = yield* Ref.get(standing)
  const { phase, validation } = run
  const solved = progress.ended === "solved"
  const toBest =
    validation !== undefined || (phase.careful !== undefined && Number.isFinite(phase.careful.patience) && !solved)
  if (toBest) yield* session.restore
  const isCurrent = last !== undefined && !toBest && progress.ended !== "give up"
  const measurement = isCurrent ? last : yield* session.look
  const { freeRunAccuracy: relaxedAccuracy, relaxationGap, relaxedLoss } = measurement
  const outcome: Outcome = {
    progress:
      isCurrent || relaxedLoss === undefined ? progress : { ...progress, relaxedLoss, relaxationGap, relaxedAccuracy },
    parameters: yield* session.parameters,
    measurement,
    solved
  }
  return outcome
})
