/**
 * Measures a phase's state and does what follows: holds it, goes back to the held one, ends the phase, or looks for the numbers that were lost.
 */
import { Cause, Effect, Ref } from "effect"
import * as Progress from "./Progress.ts"
import * as Standing from "./Standing.ts"
import * as Telling from "./Telling.ts"
import { NumbersLost } from "./TrainingFailed.ts"

/** Measures the state as it is now. */
export const measure = Effect.fnUntraced(function* <E, R>(running: Standing.Running<E, R>) {
  const { run, session, standing } = running
  const { phase, stop, validation } = run
  const { progress: before } = yield* Ref.get(standing)
  const measurement = yield* session.look
  const { decision, progress } = Progress.decide(before, phase, measurement, stop)
  const finite = Progress.isFinite(measurement)
  const lost = finite ? undefined : yield* whereLost(running)
  yield* Ref.update(standing, (now) => ({ ...now, progress, measurement }))
  // With validation data, a solved run ends with the parameters that were best on them.
  if (decision === "hold" || (decision === "solved" && (validation === undefined || progress.since === 0))) {
    yield* session.hold
    yield* Ref.update(standing, Standing.holding)
  }
  yield* Ref.update(standing, (now) =>
    Standing.telling(now, { _tag: "Step", phase, progress: now.progress, steps: session.total, measurement })
  )
  if (decision === "rewind" || (decision === "give up" && !finite)) {
    yield* session.restore
    yield* session.remember(Progress.factor(progress, phase))
    // From here on the state is the held one, whichever step it was held at.
    yield* session.hold
    yield* Ref.update(standing, (now) => {
      const held = Standing.holding(now)
      return Standing.telling(held, { _tag: "Rewound", phase, progress: held.progress, lost })
    })
  }
  if (decision === "lost") {
    const failed = new NumbersLost({ phase: phase.kind, rate: progress.rate, ...lost! })
    yield* Ref.update(standing, (now) => ({ ...now, failed }))
    if (progress.held !== undefined) yield* goBack(running)
  }
})

/** The step after which numbers were first lost, and the array. */
const whereLost = Effect.fnUntraced(function* <E, R>(running: Standing.Running<E, R>) {
  const { run, session, standing } = running
  const { progress } = yield* Ref.get(standing)
  if (progress.held === undefined) return { step: progress.step, path: "the loss" }
  // Many steps, and batches that may not come: a search that is interrupted or fails leaves a state midway. The held one loses the same numbers.
  return yield* Effect.onError(
    Effect.interruptible(session.locate(progress.held, progress.step, Progress.factor(progress, run.phase))),
    (cause) =>
      // On an interruption, whoever runs the phase keeps its last snapshot.
      Telling.keep(
        Effect.andThen(goBack(running), Cause.hasInterruptsOnly(cause) ? Effect.void : Telling.lastSnapshot(running))
      )
  )
})

/** The held state again, and the progress of its step. */
const goBack = <E, R>({ session, standing }: Standing.Running<E, R>) =>
  Effect.andThen(session.restore, Ref.update(standing, Standing.atHeld))
