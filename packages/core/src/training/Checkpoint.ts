/**
 * Checkpoint of a run: its progress and all its arrays, in the engine's own precision.
 */
import { Effect, Struct } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import * as CircuitSpec from "../circuit/CircuitSpec.ts"
import type { Dataset } from "../data/Dataset.ts"
import type { CheckpointContent, Identity } from "../schema/CheckpointContent.ts"
import * as Archive from "./Archive.ts"
import * as OwnFunctions from "./OwnFunctions.ts"
import type { Snapshot } from "./PhaseRun.ts"
import * as Plan from "./Plan.ts"
import * as Safetensors from "./Safetensors.ts"
import * as Sha256 from "./Sha256.ts"
import * as TargetUnit from "./TargetUnit.ts"

export type { Identity }

/**
 * Computes the identity of a run. Functions of your own (a stage, a loss, a rule, a curve, a predicate) count by their names and their text, so that a
 * changed one is told from the one that the run began with. What a function refers to is not part of its text: `Loss.huber(0.5)` and
 * `Loss.huber(0.1)` count as the same. The methods of a class do not count.
 */
export const identity = (run: {
  readonly circuit: Circuit.Circuit
  readonly plan: Plan.Plan
  readonly seed: number
  readonly engine: string
  readonly data: Dataset
  readonly validation?: Dataset | undefined
}): Effect.Effect<Identity> =>
  Effect.map(
    Effect.sync(() => [digest(run.data), run.validation === undefined ? "none" : digest(run.validation)] as const),
    ([data, validation]) => ({
      circuit: Circuit.print(run.circuit),
      plan: Plan.print(run.plan),
      coordinates: coordinates(run),
      start: run.plan.start,
      stop: JSON.stringify(run.plan.stop ?? "none"),
      seed: run.seed,
      engine: run.engine,
      settings: Sha256.hex(JSON.stringify([CircuitSpec.toJson(run.circuit), run.plan])),
      functions: OwnFunctions.print(run.circuit, run.plan),
      data,
      validation
    })
  )

const coordinates = ({ circuit, data, plan }: { circuit: Circuit.Circuit; data: Dataset; plan: Plan.Plan }) =>
  TargetUnit.taken(circuit, plan, data) === undefined ? plan.coordinates : `${plan.coordinates}, standardised targets`

/** What a digest is taken of. */
export type Digested = Pick<Dataset, "inputs" | "targets">

/** SHA-256 of inputs and targets, by which a run knows its data again. */
export const digest = ({ inputs, targets }: Digested): string => Sha256.hex(Safetensors.encode({ inputs, targets }))

const kind: Archive.Kind<CheckpointContent> = {
  name: "checkpoint",
  version: 3,
  schema: Effect.promise(() =>
    import("../schema/CheckpointContent.ts").then(({ CheckpointContent }) => CheckpointContent)
  )
}

/** Saves a snapshot to a folder; the previous checkpoint stays intact until the new one is complete. */
export const save = (folder: string, identity: Identity, snapshot: Snapshot) =>
  Archive.write(kind, folder, { identity, progress: snapshot.progress }, snapshot.state)

/** Loads a checkpoint from a folder. */
export const load = Effect.fn("Checkpoint.load")(function* (folder: string) {
  const { arrays, content } = yield* Archive.read(kind, folder)
  const { identity, progress } = content
  const found: { readonly identity: Identity; readonly snapshot: Snapshot } = {
    identity,
    snapshot: { progress, state: arrays }
  }
  return found
})

/** Loads the snapshot if the checkpoint is of exactly this run; fails with `ArchiveInvalid` otherwise. */
export const resume = Effect.fn("Checkpoint.resume")(function* (folder: string, expected: Identity) {
  const { identity: came, snapshot } = yield* load(folder)
  for (const key of Struct.keys(came)) {
    if (came[key] === expected[key]) continue
    const unchanged =
      key === "functions"
        ? "functions that the run began with, their text unchanged,"
        : "settings and data that the run began with,"
    return yield* new Archive.ArchiveInvalid({
      file: `${folder}/checkpoint.json`,
      expected: `a checkpoint of the ${key} «${expected[key]}»`,
      came: `it is of «${came[key]}»`,
      advice: `resume with the ${unchanged} or train into another folder`
    })
  }
  return snapshot
})
