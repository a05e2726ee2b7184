/**
 * Runs the phases of a plan, one after the other.
 */
import { Effect, Ref } from "effect"
import type { Phase } from "./Phase.ts"
import * as PhaseRun from "./PhaseRun.ts"
import * as Progress from "./Progress.ts"
import * as Telling from "./Telling.ts"
import type { Finished } from "./TrainingEvent.ts"

/** What all phases train on, and how the run is concluded. */
export interface PlanRun<E, R> extends Omit<PhaseRun.PhaseRun<E, R>, "phase" | "saved"> {
  readonly phases: ReadonlyArray<Phase>
  /** Tells the result. Until it has, an interruption leaves a snapshot, as the last phase's state is there still. */
  readonly conclude: (last: PhaseRun.Outcome) => Effect.Effect<Finished>
}

/** Runs the phases from where a snapshot stands to the end. */
export const carryOut = Effect.fnUntraced(function* <E, R>(run: PlanRun<E, R>, from: PhaseRun.Snapshot) {
  const saved = yield* Ref.make(run.clock())
  let at = from
  // Whether the work so far is here alone: the last phase's state may be gone, and the next one's is not there yet.
  let isBetween = false
  const next = Effect.gen(function* () {
    const phase = run.phases[at.progress.phase]!
    const running = yield* PhaseRun.begin({ ...run, phase, saved }, at)
    isBetween = false
    const outcome = yield* PhaseRun.end(running)
    if (outcome.solved || at.progress.phase + 1 === run.phases.length) return yield* run.conclude(outcome)
    at = { progress: Progress.next(outcome.progress), state: outcome.parameters }
    isBetween = true
    return undefined
  })
  const all = Effect.gen(function* () {
    let finished: Finished | undefined
    while (finished === undefined) finished = yield* Effect.scoped(next)
    return finished
  })
  return yield* Effect.onError(all, () =>
    isBetween ? Telling.keep(Telling.hand(run, run.phases[at.progress.phase]!, at)) : Effect.void
  )
})
