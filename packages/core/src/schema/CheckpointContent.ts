/**
 * What is stored of a resumable run besides its arrays.
 */
import { Schema } from "effect"

/** Schema of an identity. */
export const Identity = Schema.Struct({
  circuit: Schema.String,
  plan: Schema.String,
  coordinates: Schema.String,
  start: Schema.String,
  stop: Schema.String,
  seed: Schema.Int,
  engine: Schema.String,
  /** SHA-256 of all settings of circuit and plan that are data, including those that their printed lines omit. */
  settings: Schema.String,
  /** The user's own functions, by where they stand and their text; absent in checkpoints that did not tell them apart yet. */
  functions: Schema.optional(Schema.String),
  /** SHA-256 of inputs and targets, and of those of the validation data. */
  data: Schema.String,
  validation: Schema.String
})

/** Identifies a checkpoint's run, so that it resumes only with the same engine, circuit, plan, seed and data. */
export interface Identity extends Schema.Schema.Type<typeof Identity> {}

/** Schema of a progress. */
export const Progress = Schema.Struct({
  /** Index of the phase, and number of steps done within it. */
  phase: Schema.Int,
  step: Schema.Int,
  /** Number of steps done in all phases. */
  total: Schema.Int,
  /** Seconds of training so far. */
  seconds: Schema.Finite,
  /** The optimiser's current rate in this phase; a careful phase lowers it. */
  rate: Schema.Finite,
  /** Best free-run loss of the phase, on validation data if there are any, and the number of steps or epochs since. */
  best: Schema.optional(Schema.Finite),
  /** The same in shares of each target's variance, which decide where several targets are standardised; checkpoints of earlier versions have none. */
  bestShare: Schema.optional(Schema.Finite),
  since: Schema.Int,
  /** Step of the held state. */
  held: Schema.optional(Schema.Int),
  /** Number of times a careful phase went back. */
  attempts: Schema.Int,
  /** How the phase ended before its last step, if it did: a run that resumes here takes no further step of it. */
  ended: Schema.optional(Schema.Literals(["solved", "give up"])),
  /** Relaxed loss and gap at the end of the last relaxing phase. */
  relaxedLoss: Schema.optional(Schema.Number),
  relaxationGap: Schema.optional(Schema.Number),
  /** The free run's training accuracy at that point: what relaxing alone achieved. */
  relaxedAccuracy: Schema.optional(Schema.Number)
})

/** A run's position in its plan; with the session's arrays, all that a resumed run needs. */
export interface Progress extends Schema.Schema.Type<typeof Progress> {}

/** Schema of the content of `checkpoint.json`. */
export const CheckpointContent = Schema.Struct({ identity: Identity, progress: Progress })

/** What is stored of a resumable run besides its arrays. */
export interface CheckpointContent extends Schema.Schema.Type<typeof CheckpointContent> {}
