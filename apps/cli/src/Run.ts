/**
 * One training run as the command line carries it out: followed, kept in a folder where one is named, scored on test data.
 */

import type { Circuit, TrainingEvent } from "@rai/core"
import { Checkpoint, type Dataset, Engine, Plan, Score, type Trained, TrainedStore, Training } from "@rai/core"
import { Effect, FileSystem, Path, Stream } from "effect"
import * as Figures from "./Figures.ts"
import * as ProgressLine from "./ProgressLine.ts"
import * as Report from "./Report.ts"
import * as RunFolder from "./RunFolder.ts"

/** What is run. */
export interface Run {
  readonly circuit: Circuit.Circuit
  readonly plan: Plan.Plan
  readonly seed: number
  readonly train: Dataset.Dataset
  readonly test: Dataset.Dataset | undefined
  /** The folder that keeps it, if any. */
  readonly folder?: string | undefined
  /** Goes on from the folder's checkpoint. */
  readonly resume?: boolean
  /** What progress lines call it. */
  readonly name?: string
}

/** The outcome, as `--json` and `summary.json` show it. */
export interface Summary {
  readonly seed: number
  readonly engine: string
  readonly plan: string
  readonly parameters: number
  readonly steps: number
  readonly seconds: number
  readonly stepsPerSecond: number
  readonly solved: boolean
  readonly relaxedLoss: number | null
  readonly freeRunLoss: number
  readonly freeRunAccuracy: number | null
  readonly relaxationGap: number | null
  readonly testLoss: number | null
  readonly testAccuracy: number | null
  readonly run: string | null
}

const goOn = "the same command with --resume goes on from here"

/** Carries the run out. */
export const carryOut = Effect.fn("Run.carryOut")(function* (run: Run) {
  const { circuit, folder, plan, seed, test, train } = run
  const engine = yield* Engine.Engine
  const identity = yield* Checkpoint.identity({ circuit, plan, seed, engine: engine.name, data: train })
  const from = folder !== undefined && run.resume === true ? yield* checkpoint(folder, identity) : undefined
  if (folder !== undefined && run.resume === true) yield* RunFolder.rewind(folder, from?.progress.total ?? -1)
  const bar = ProgressLine.make(run.name)
  const events = Training.stream(circuit, train, {
    plan,
    seed,
    from,
    onSnapshot: (snapshot) => (folder === undefined ? Effect.void : Checkpoint.save(folder, identity, snapshot))
  })
  const finished = yield* events.pipe(
    Stream.tap((event) =>
      Effect.andThen(bar.follow(event), folder === undefined ? Effect.void : RunFolder.append(folder, event))
    ),
    Stream.runFold(
      () => undefined as TrainingEvent.Finished | undefined,
      (last, event) => (event._tag === "Finished" ? event : last)
    ),
    Effect.ensuring(bar.end),
    Effect.onInterrupt(() => Report.progress(`interrupted; ${folder === undefined ? "nothing was kept" : goOn}`))
  )
  const { trained } = finished!
  const score = test === undefined ? undefined : yield* Score.score(trained, test)
  const summary = summarise(run, finished!, engine.name, score)
  if (folder !== undefined) yield* keep(folder, trained, train, summary)
  return { trained, summary }
})

// A run that was killed before its first checkpoint begins again.
const checkpoint = Effect.fnUntraced(function* (folder: string, identity: Checkpoint.Identity) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const there = yield* fs.exists(path.join(folder, "checkpoint.json"))
  return there ? yield* Checkpoint.resume(folder, identity) : undefined
})

const keep = Effect.fnUntraced(function* (
  folder: string,
  trained: Trained.Trained,
  train: Dataset.Dataset,
  summary: Summary
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* TrainedStore.save(folder, trained)
  yield* Figures.draw(folder, trained, train, yield* RunFolder.rows(folder))
  yield* RunFolder.summarise(folder, summary)
  // A finished run needs no checkpoint.
  const rest = (yield* fs.readDirectory(folder)).filter((entry) => entry.startsWith("checkpoint"))
  yield* Effect.forEach(rest, (entry) => fs.remove(path.join(folder, entry)))
})

const summarise = (
  { folder, plan, seed }: Run,
  { measurement, progress, solved, trained }: TrainingEvent.Finished,
  engine: string,
  score: Score.Score | undefined
): Summary => ({
  seed,
  engine,
  plan: Plan.print(plan),
  parameters: Object.values(trained.parameters).reduce((total, { data }) => total + data.length, 0),
  steps: progress.total,
  seconds: progress.seconds,
  stepsPerSecond: progress.seconds > 0 ? progress.total / progress.seconds : 0,
  solved,
  relaxedLoss: progress.relaxedLoss ?? null,
  freeRunLoss: measurement.freeRunLoss,
  freeRunAccuracy: measurement.freeRunAccuracy ?? null,
  relaxationGap: progress.relaxationGap ?? null,
  testLoss: score?.loss ?? null,
  testAccuracy: score?.accuracy ?? null,
  run: folder ?? null
})
