/**
 * Where a phase stands while it runs.
 */
import type { Ref } from "effect"
import type { Measurement } from "./Measurement.ts"
import type { Phase } from "./Phase.ts"
import type { PhaseRun } from "./PhaseRun.ts"
import type { PhaseSession } from "./PhaseSession.ts"
import * as Progress from "./Progress.ts"
import type { Underway } from "./TrainingEvent.ts"
import type { NumbersLost } from "./TrainingFailed.ts"

/** Progress, the last measurement, and what there is to tell. */
export interface Standing {
  /** Its `held` is the step whose state the session holds, if any. */
  readonly progress: Progress.Progress
  readonly measurement: Measurement | undefined
  /** Events that nobody has been told yet. */
  readonly untold: ReadonlyArray<Underway>
  /** Numbers that were lost for good. */
  readonly failed: NumbersLost | undefined
}

/** A phase that runs: what is asked for, its state in the engine, and where it stands. */
export interface Running<E, R> {
  readonly run: PhaseRun<E, R>
  readonly session: PhaseSession<E, R>
  readonly standing: Ref.Ref<Standing>
}

/** A phase at its start, or where a snapshot within it was taken. */
export const begun = (progress: Progress.Progress, { optimizer }: Phase): Standing => ({
  progress: Progress.isBegun(progress) ? progress : { ...progress, rate: optimizer.rate },
  measurement: undefined,
  untold: [],
  failed: undefined
})

/** With more events to tell. */
export const telling = (standing: Standing, ...events: ReadonlyArray<Underway>): Standing => ({
  ...standing,
  untold: [...standing.untold, ...events]
})

/** After `count` more steps, the last of them done at `seconds`. The event of a step that is measured carries the measurement, and comes with it. */
export const stepped = <E, R>(
  standing: Standing,
  phase: Phase,
  { isMeasured, total: steps }: PhaseSession<E, R>,
  count: number,
  seconds: number
): Standing => {
  const { step, total } = standing.progress
  const after = (more: number): Progress.Progress => ({
    ...standing.progress,
    step: step + more,
    total: total + more,
    seconds
  })
  const events = Array.from({ length: count }, (_, i) => after(i + 1)).flatMap(
    (progress): ReadonlyArray<Underway> => (isMeasured(progress.step) ? [] : [{ _tag: "Step", phase, progress, steps }])
  )
  return telling({ ...standing, progress: after(count) }, ...events)
}

/** After the session has held the state as it is. */
export const holding = (standing: Standing): Standing => ({
  ...standing,
  progress: { ...standing.progress, held: standing.progress.step }
})

/** After the session has gone back to the held state, to take the steps since once more: none has been without progress yet. */
export const atHeld = (standing: Standing): Standing => {
  const { held, step, total } = standing.progress
  return { ...standing, progress: { ...standing.progress, step: held!, total: total - (step - held!), since: 0 } }
}
