/**
 * The events of a training run.
 */
import type { Measurement } from "./Measurement.ts"
import type { Phase } from "./Phase.ts"
import type { Progress } from "./Progress.ts"
import type { Trained } from "./Trained.ts"

/** A step was taken or, at step 0 of a phase, its start was measured. */
export interface Step {
  readonly _tag: "Step"
  readonly phase: Phase
  readonly progress: Progress
  /** Maximum number of steps in the phase. */
  readonly steps: number
  /** Present at the phase's interval. */
  readonly measurement?: Measurement
}

/** A careful phase went back to the held state and divided its rates. */
export interface Rewound {
  readonly _tag: "Rewound"
  readonly phase: Phase
  readonly progress: Progress
  /** Where numbers became NaN or infinite: the step of the phase, and the first such array; absent where the free run merely did not improve. */
  readonly lost?: { readonly step: number; readonly path: string } | undefined
}

/** The run is over. */
export interface Finished {
  readonly _tag: "Finished"
  readonly progress: Progress
  /** Measured at the end of the last phase; with residuals and a gap if that is a relaxing one. */
  readonly measurement: Measurement
  /** Whether the plan's stop was reached. */
  readonly solved: boolean
  readonly trained: Trained
}

/** An event before the end. */
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
