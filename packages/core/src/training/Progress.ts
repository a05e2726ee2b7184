/**
 * Where a run stands, and what a measurement decides: by validation data where there are any, else by training data.
 */
import { Schema } from "effect"
import type { Measurement } from "./Measurement.ts"
import type { Careful, Phase } from "./Phase.ts"
import type { Stop } from "./Plan.ts"

/** A run's place in its plan; with the session's arrays it is all that a resumed run needs. */
export class Progress extends Schema.Class<Progress>("@rai/core/Progress")({
  /** The index of the phase, and the steps done within it. */
  phase: Schema.Int,
  step: Schema.Int,
  /** Steps done in all phases. */
  total: Schema.Int,
  /** Seconds of training so far. */
  seconds: Schema.Finite,
  /** The optimiser's rate in this phase; a careful phase lowers it. */
  rate: Schema.Finite,
  /** The best free-run loss of the phase, on validation data where there are any, and the steps or epochs since. */
  best: Schema.optional(Schema.Finite),
  since: Schema.Int,
  /** The step whose state is held, to go back to. */
  held: Schema.optional(Schema.Int),
  /** How often a careful phase went back. */
  attempts: Schema.Int,
  /** How the phase ended before its last step, if it did: a run that resumes here does not take another. */
  ended: Schema.optional(Schema.Literals(["solved", "give up"])),
  /** Relaxed loss and gap where the last relaxing phase ended. */
  relaxedLoss: Schema.optional(Schema.Number),
  relaxationGap: Schema.optional(Schema.Number),
  /** The free run's training accuracy there: what relaxing alone reached. */
  relaxedAccuracy: Schema.optional(Schema.Number)
}) {
  with(changes: Partial<Progress>): Progress {
    return new Progress({ ...this, ...changes })
  }
}

/** Before the first step. */
export const start = (): Progress =>
  new Progress({ phase: 0, step: 0, total: 0, seconds: 0, rate: 0, since: 0, attempts: 0 })

/**
 * What to do after a measurement: go on, hold this state as the one to go back to, go back to it with lower rates, end the phase, end the
 * run, or fail because numbers were lost.
 */
export type Decision = "continue" | "hold" | "rewind" | "give up" | "solved" | "lost"

/** Decides, and notes in the progress what follows from it. */
export const decide = (
  before: Progress,
  phase: Phase,
  measurement: Measurement,
  stop: Stop | undefined
): { readonly decision: Decision; readonly progress: Progress } => {
  const { freeRunAccuracy, freeRunLoss, relaxationGap, relaxedLoss, validationLoss } = measurement
  const judged = validationLoss ?? freeRunLoss
  const { best, step } = before
  if (!isFinite(measurement)) {
    return best === undefined || phase.careful === undefined
      ? { decision: "lost", progress: before }
      : again(before, phase.careful)
  }
  const measured =
    relaxedLoss === undefined ? before : before.with({ relaxedLoss, relaxationGap, relaxedAccuracy: freeRunAccuracy })
  const better = judged < (best ?? Number.POSITIVE_INFINITY)
  const since = better || step === 0 ? 0 : before.since + phase.interval
  const progress = measured.with({ best: better ? judged : best, since })
  if (isSolved(measurement, stop)) return { decision: "solved", progress: progress.with({ ended: "solved" }) }
  const { patience } = phase.careful ?? { patience: Number.POSITIVE_INFINITY }
  if (better || (patience === Number.POSITIVE_INFINITY && validationLoss === undefined))
    return { decision: "hold", progress }
  return since < patience ? { decision: "continue", progress } : again(progress, phase.careful!)
}

/** Whether all losses of a measurement are numbers. */
export const isFinite = ({ freeRunLoss, relaxedLoss = 0, validationLoss = 0 }: Measurement): boolean =>
  [freeRunLoss, relaxedLoss, validationLoss].every(Number.isFinite)

const again = (progress: Progress, { attempts, divisor }: Careful) => {
  const next = progress.with({ attempts: progress.attempts + 1, rate: progress.rate / divisor, since: 0 })
  return next.attempts >= attempts
    ? { decision: "give up" as const, progress: next.with({ ended: "give up" }) }
    : { decision: "rewind" as const, progress: next }
}

const isSolved = ({ freeRunAccuracy, freeRunLoss }: Measurement, stop: Stop | undefined): boolean =>
  stop !== undefined &&
  freeRunLoss < stop.loss &&
  (stop.accuracy === undefined || freeRunAccuracy === undefined || freeRunAccuracy >= stop.accuracy)
