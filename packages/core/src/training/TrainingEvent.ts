/**
 * What a training run tells while it goes on.
 */
import type { Measurement } from "./Measurement.ts"
import type { Phase } from "./Phase.ts"
import type { Progress } from "./Progress.ts"
import type { Trained } from "./Trained.ts"

/** One step was taken, or, with step 0 of a phase, its start was measured. */
export interface Step {
  readonly _tag: "Step"
  readonly phase: Phase
  readonly progress: Progress
  /** The steps that the phase takes at most. */
  readonly steps: number
  /** At the phase's interval. */
  readonly measurement?: Measurement
}

/** A careful phase went back to the state that it holds and divided its rates. */
export interface Rewound {
  readonly _tag: "Rewound"
  readonly phase: Phase
  readonly progress: Progress
  /** Where numbers were lost: at which step of the phase, and first in which array; absent where the free run merely got no better. */
  readonly lost?: { readonly step: number; readonly path: string } | undefined
}

/** The run is over. */
export interface Finished {
  readonly _tag: "Finished"
  readonly progress: Progress
  /** At the end of the last phase; with residuals and a gap where that is a relaxing one. */
  readonly measurement: Measurement
  /** Whether the plan's stop was reached. */
  readonly solved: boolean
  readonly trained: Trained
}

/** What happens on the way. */
export type Underway = Step | Rewound

/** One event of a training run. */
export type TrainingEvent = Underway | Finished

/** A step at which the run was measured. */
export interface Measured extends Step {
  readonly measurement: Measurement
}

/** Whether an event is a step at which the run was measured, as `Stream.filter` takes it. */
export const isMeasured = (event: TrainingEvent): event is Measured =>
  event._tag === "Step" && event.measurement !== undefined
