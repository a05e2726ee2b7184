/**
 * The steps of measurements.
 */
import type { Phase } from "../Phase.ts"

/**
 * The place of the first step that is not above the one before it, -1 if there is none. Where a phase begins, its first measurement may be at the step
 * of the last one before.
 */
export const misplaced = (steps: ReadonlyArray<number>, phases: ReadonlyArray<Phase>): number => {
  const starts = new Set(phases.map(({ start }) => start))
  return steps.findIndex((step, i) => {
    const before = steps[i - 1] ?? Number.NEGATIVE_INFINITY
    return !(Number.isFinite(step) && (step > before || (step === before && starts.has(step))))
  })
}
