/**
 * Where a run stands, and what a measurement decides. Only training data decides.
 */
import { Schema } from "effect"
import type { Measurement } from "./Measurement.ts"
import type { Phase } from "./Phase.ts"
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
  /** The best free-run loss of a careful phase, and the steps since. */
  best: Schema.optional(Schema.Finite),
  since: Schema.Int,
  /** How often a careful phase went back. */
  attempts: Schema.Int,
  /** How the phase ended before its last step, if it did: a run that resumes here does not take another. */
  ended: Schema.optional(Schema.Literals(["solved", "give up"])),
  /** Relaxed loss and gap where the last relaxing phase ended. */
  relaxedLoss: Schema.optional(Schema.Number),
  relaxationGap: Schema.optional(Schema.Number)
}) {
  with(changes: Partial<Progress>): Progress {
    return new Progress({ ...this, ...changes })
  }
}

/** Before the first step. */
export const start: Progress = new Progress({ phase: 0, step: 0, total: 0, seconds: 0, rate: 0, since: 0, attempts: 0 })

/**
 * What to do after a measurement: go on, remember these parameters as the best, go back to the best with a lower rate, end the phase, end
 * the run, or fail because the loss is no number any more.
 */
export type Decision = "continue" | "keep" | "rewind" | "give up" | "solved" | "diverged"

/** Decides, and notes in the progress what follows from it. */
export const decide = (
  before: Progress,
  phase: Phase,
  measurement: Measurement,
  stop: Stop | undefined
): { readonly decision: Decision; readonly progress: Progress } => {
  const { freeRunLoss: loss, relaxationGap, relaxedLoss } = measurement
  const finite = Number.isFinite(loss) && Number.isFinite(relaxedLoss ?? 0)
  const progress = finite && relaxedLoss !== undefined ? before.with({ relaxedLoss, relaxationGap }) : before
  const solved = finite && isSolved(measurement, stop)
  const { careful } = phase
  if (careful === undefined) {
    if (solved) return { decision: "solved", progress: progress.with({ ended: "solved" }) }
    return { decision: finite ? "continue" : "diverged", progress }
  }
  const since = progress.since + (progress.step === 0 ? 0 : phase.interval)
  if (finite && loss < (progress.best ?? Number.POSITIVE_INFINITY)) {
    const best = progress.with({ best: loss, since: 0 })
    return solved
      ? { decision: "solved", progress: best.with({ ended: "solved" }) }
      : { decision: "keep", progress: best }
  }
  if (finite && since < careful.patience) return { decision: "continue", progress: progress.with({ since }) }
  if (progress.best === undefined) return { decision: "diverged", progress }
  const attempts = progress.attempts + 1
  const again = progress.with({ attempts, rate: progress.rate / careful.divisor, since: 0 })
  return attempts >= careful.attempts
    ? { decision: "give up", progress: again.with({ ended: "give up" }) }
    : { decision: "rewind", progress: again }
}

const isSolved = ({ freeRunAccuracy, freeRunLoss }: Measurement, stop: Stop | undefined): boolean =>
  stop !== undefined &&
  freeRunLoss < stop.loss &&
  (stop.accuracy === undefined || freeRunAccuracy === undefined || freeRunAccuracy >= stop.accuracy)
