/**
 * What is kept of a run that can go on, beside its arrays.
 */
import { Schema } from "effect"

/** The schema of an identity. */
export const Identity = Schema.Struct({
  circuit: Schema.String,
  plan: Schema.String,
  coordinates: Schema.String,
  start: Schema.String,
  stop: Schema.String,
  seed: Schema.Int,
  engine: Schema.String,
  /** The SHA-256 of all settings of circuit and plan that are data, also those that no line says; functions of one's own are not told apart. */
  settings: Schema.String,
  /** The SHA-256 of inputs and targets, and of those of the validation data. */
  data: Schema.String,
  validation: Schema.String
})

/** What a checkpoint says of its run, so that it resumes on the same engine, circuit, plan, seed and data and on no other. */
export interface Identity extends Schema.Schema.Type<typeof Identity> {}

/** The schema of a progress. */
export const Progress = Schema.Struct({
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
})

/** A run's place in its plan; with the session's arrays it is all that a resumed run needs. */
export interface Progress extends Schema.Schema.Type<typeof Progress> {}

/** The content of `checkpoint.json`. */
export const CheckpointContent = Schema.Struct({ identity: Identity, progress: Progress })

/** What is kept of a run that can go on, beside its arrays. */
export interface CheckpointContent extends Schema.Schema.Type<typeof CheckpointContent> {}
