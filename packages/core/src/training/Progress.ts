/**
 * Where a run stands, and what follows from a measurement: judged on validation data if there are any, else on training data.
 */
import type { Progress } from "../schema/CheckpointContent.ts"
import * as Measurement from "./Measurement.ts"
import type { Careful, Phase } from "./Phase.ts"
import type { Stop } from "./Plan.ts"

export type { Progress }

/** The progress before the first step. */
export const start = (): Progress => ({
  phase: 0,
  step: 0,
  total: 0,
  seconds: 0,
  rate: 0,
  since: 0,
  attempts: 0
})

/** The progress before the first step of the phase that comes after one that has ended. */
export const next = (ended: Progress): Progress => ({
  ...ended,
  phase: ended.phase + 1,
  step: 0,
  best: undefined,
  bestShare: undefined,
  held: undefined,
  since: 0,
  attempts: 0,
  ended: undefined
})

/** Whether the phase has begun: a phase measures its start, so that there is a best loss, before a snapshot of it is taken. */
export const isBegun = ({ best, step }: Progress): boolean => step > 0 || best !== undefined

/**
 * What to do after a measurement: go on, hold this state as the one to go back to, go back to the held state with lower rates, end the phase, end
 * the run, or fail because numbers became NaN or infinite.
 */
export type Decision = "continue" | "hold" | "rewind" | "give up" | "solved" | "lost"

/** A decision, and the progress updated with its consequences. */
export interface Decided {
  readonly decision: Decision
  readonly progress: Progress
}

/** Decides what to do after a measurement and updates the progress accordingly. */
export const decide = (
  before: Progress,
  phase: Phase,
  measurement: Measurement.Measurement,
  stop: Stop | undefined
): Decided => {
  const { freeRunAccuracy, freeRunLoss, freeRunShare, relaxationGap, relaxedLoss, validationLoss } = measurement
  const { freeRun, validation = freeRun } = Measurement.judged(measurement)
  const { best, bestShare, step } = before
  if (!isFinite(measurement)) {
    return best === undefined || phase.careful === undefined
      ? { decision: "lost", progress: before }
      : again(before, phase.careful)
  }
  const measured =
    relaxedLoss === undefined ? before : { ...before, relaxedLoss, relaxationGap, relaxedAccuracy: freeRunAccuracy }
  const isShared = freeRunShare !== undefined
  const better = validation < ((isShared ? bestShare : best) ?? Number.POSITIVE_INFINITY)
  const since = better || step === 0 ? 0 : before.since + phase.interval
  const progress = {
    ...measured,
    best: better ? (validationLoss ?? freeRunLoss) : best,
    ...(isShared && { bestShare: better ? validation : bestShare }),
    since
  }
  if (isSolved(measurement, stop)) return { decision: "solved", progress: { ...progress, ended: "solved" } }
  const { patience } = phase.careful ?? { patience: Number.POSITIVE_INFINITY }
  if (better || (patience === Number.POSITIVE_INFINITY && validationLoss === undefined))
    return { decision: "hold", progress }
  return since < patience ? { decision: "continue", progress } : again(progress, phase.careful!)
}

/** What remains of the phase's rates after a careful phase has lowered them. */
export const factor = ({ rate }: Progress, { optimizer }: Phase): number => rate / optimizer.rate

/** Whether all losses of a measurement are finite. */
export const isFinite = (measurement: Measurement.Measurement): boolean => {
  const { freeRunLoss, relaxedLoss = 0, validationLoss = 0 } = measurement
  const { freeRun, relaxed = 0, validation = 0 } = Measurement.judged(measurement)
  return [freeRunLoss, relaxedLoss, validationLoss, freeRun, relaxed, validation].every(Number.isFinite)
}

const again = (progress: Progress, { attempts, divisor }: Careful): Decided => {
  const next = { ...progress, attempts: progress.attempts + 1, rate: progress.rate / divisor, since: 0 }
  return next.attempts >= attempts
    ? { decision: "give up", progress: { ...next, ended: "give up" } }
    : { decision: "rewind", progress: next }
}

const isSolved = (
  { freeRunAccuracy, freeRunLoss, freeRunShare }: Measurement.Measurement,
  stop: Stop | undefined
): boolean =>
  stop !== undefined &&
  (stop.share === undefined || freeRunShare === undefined ? freeRunLoss < stop.loss : freeRunShare < stop.share) &&
  (stop.accuracy === undefined || freeRunAccuracy === undefined || freeRunAccuracy >= stop.accuracy)
