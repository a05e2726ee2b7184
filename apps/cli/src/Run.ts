/**
 * One training run as the command line carries it out: with progress, saved in a folder where one is named, and scored on test data.
 */

import type { Circuit, DataInvalid, Metrics, Parts, TrainingEvent } from "@rai/core"
import {
  Checkpoint,
  type Dataset,
  Diagnosis,
  Engine,
  History,
  Measurement,
  type Plan,
  Score,
  TargetUnit,
  TrainedStore,
  Training
} from "@rai/core"
import { Effect, type FileSystem, type Path, type PlatformError, Stream } from "effect"
import type { CommandFailed } from "./CommandFailed.ts"
import * as Figures from "./Figures.ts"
import * as ProgressLine from "./ProgressLine.ts"
import * as Recorder from "./Recorder.ts"
import * as Report from "./Report.ts"
import * as RunFolder from "./RunFolder.ts"
import * as Signals from "./Signals.ts"
import * as Summary from "./Summary.ts"

/** A training run to carry out. */
export interface Run {
  readonly circuit: Circuit.Circuit
  readonly plan: Plan.Plan
  readonly seed: number
  readonly train: Dataset.Dataset
  readonly test: Dataset.Dataset | undefined
  readonly validation?: Dataset.Dataset | undefined
  /** The source of batches for data larger than memory. */
  readonly parts?: Parts.Parts<DataInvalid, FileSystem.FileSystem> | undefined
  /** The folder to save the run in, if any. */
  readonly folder?: string | undefined
  /** The folder for TensorBoard event files, if any. */
  readonly tensorboard?: string | undefined
  /** Whether to resume from the folder's checkpoint. */
  readonly resume?: boolean
  /** The run's name in progress lines. */
  readonly name?: string
  /** What to say is left after an interruption. */
  readonly left?: string
}

/** What an interrupted run says where a folder keeps its checkpoint. */
export const goOn = "the same command with --resume goes on from here"

/** Carries the run out. */
export const carryOut = Effect.fn("Run.carryOut")(function* (run: Run) {
  const { circuit, folder, plan, seed, test, train, validation } = run
  const engine = yield* Engine.Engine
  const kept = folder === undefined ? undefined : yield* inFolder(run, folder, engine.name)
  const before = kept?.from?.progress
  if (folder !== undefined && run.resume === true) yield* RunFolder.rewind(folder, before)
  const after = run.resume === true ? (before?.total ?? -1) : undefined
  const recorder = yield* Recorder.make(run.tensorboard, after)
  const bar = ProgressLine.make(run.name)
  const interrupted = (there: string) =>
    Report.progress(`interrupted; ${run.left ?? (folder === undefined ? "nothing was kept" : there)}`)
  const events = Training.stream<
    DataInvalid | PlatformError.PlatformError | CommandFailed,
    FileSystem.FileSystem | Path.Path
  >(circuit, train, {
    plan,
    seed,
    validation,
    parts: run.parts,
    onEvent: (event) =>
      Effect.andThen(folder === undefined ? Effect.void : RunFolder.append(folder, event), recorder.event(event)),
    ...kept
  })
  const interrupting =
    folder === undefined
      ? "interrupting; a second signal ends it at once"
      : "interrupting: what was done is saved; a second signal ends it at once and leaves what was saved before"
  const told: Array<History.Row> = []
  const finished = yield* events.pipe(
    Stream.tap((event) =>
      Effect.andThen(
        Effect.sync(() => folder === undefined && told.push(...History.of([event]))),
        bar.follow(event)
      )
    ),
    Stream.runFold(
      () => undefined as TrainingEvent.Finished | undefined,
      (last, event) => (event._tag === "Finished" ? event : last)
    ),
    Effect.ensuring(bar.end),
    Effect.onInterrupt(() => interrupted(goOn)),
    (running) => Signals.telling(running, Effect.andThen(bar.end, Report.progress(interrupting)))
  )
  const { trained } = finished!
  const concluded = Effect.gen(function* () {
    // Save the result of a long computation before analysing it; an interruption waits for that.
    if (folder !== undefined) yield* Effect.uninterruptible(TrainedStore.save(folder, trained))
    const score = test === undefined ? undefined : yield* Score.score(trained, test)
    const metrics = test === undefined ? null : yield* Score.metrics(trained, test)
    // In a folder, with those of the processes that this one has gone on from.
    const rows = folder === undefined ? told : yield* RunFolder.rows(folder)
    const relaxing = rows.map(History.measurement).filter(({ relaxedLoss }) => relaxedLoss !== undefined)
    const findings = yield* diagnose(finished!, relaxing, run, { score, metrics })
    const summary = Summary.of(run, finished!, { engine: engine.name, score, metrics, findings })
    if (folder !== undefined || run.tensorboard !== undefined) {
      const course = yield* Figures.draw(trained, train, rows)
      const figures = [...course, ...(yield* Figures.confusion(metrics, trained.classNames))]
      yield* recorder.figures(finished!.progress.total, figures)
      if (folder !== undefined) {
        yield* Figures.write(folder, figures)
        yield* RunFolder.summarise(folder, summary)
        // A finished run needs no checkpoint.
        yield* RunFolder.dropCheckpoint(folder)
      }
    }
    return { trained, summary }
  })
  return yield* concluded.pipe(
    Effect.onInterrupt(() => interrupted(`the trained circuit is in ${folder}, its summary and pictures are not`)),
    (running) => Signals.telling(running, Report.progress("interrupting; a second signal ends it at once"))
  )
})

/** A run has failed, and is diagnosed, below this training accuracy, or, in regression, with more than this share of the variance left. */
const fair = { accuracy: 0.9, left: 0.5 }

const diagnose = Effect.fnUntraced(function* (
  { measurement, solved, trained }: TrainingEvent.Finished,
  relaxing: ReadonlyArray<Measurement.Measurement>,
  { plan: { phases, start }, train }: Run,
  { metrics, score }: { readonly score: Score.Score | undefined; readonly metrics: Metrics.Metrics | null }
) {
  const isShared = measurement.freeRunShare !== undefined
  const targets = train.task === "regression" ? TargetUnit.of(train.targets) : undefined
  const unit = isShared ? 1 : targets?.variance
  const testLoss = isShared && metrics?.task === "regression" ? TargetUnit.left(targets!, metrics) : score?.loss
  const { freeRunAccuracy = 1 } = measurement
  const { freeRun } = Measurement.judged(measurement)
  const failed = !solved && (freeRunAccuracy < fair.accuracy || freeRun > fair.left * (unit ?? Infinity))
  const relaxes = phases.filter((phase) => phase.kind === "relax")
  const done: Diagnosis.Done = {
    start,
    isSwept: relaxes.some(({ auxiliaries }) => auxiliaries === "sweep"),
    λ: Math.max(1, ...relaxes.map(({ λ }) => λ)),
    isRegularised: phases.some(({ regularizer }) => (regularizer?.l2 ?? 0) > 0)
  }
  const shown = Diagnosis.ofMeasurements({ last: measurement, relaxing, unit, testLoss, ...done })
  const findings = failed
    ? [...shown, ...(yield* Diagnosis.ofFreeRun(trained.circuit, trained.parameters, train, done))]
    : shown.filter(({ kind }) => kind === "memorised")
  return findings.map(({ message }) => message)
})

/** Where a run saved in a folder resumes from, and how its snapshots are saved. */
const inFolder = Effect.fnUntraced(function* (run: Run, folder: string, engine: string) {
  const { circuit, plan, seed, train, validation } = run
  const identity = yield* Checkpoint.identity({ circuit, plan, seed, engine, data: train, validation })
  const isSaved = run.resume === true && (yield* RunFolder.hasCheckpoint(folder))
  return {
    // A run that was killed before its first checkpoint starts over.
    from: isSaved ? yield* Checkpoint.resume(folder, identity) : undefined,
    onSnapshot: (snapshot: Parameters<typeof Checkpoint.save>[2]) =>
      Effect.andThen(RunFolder.stays(folder), Checkpoint.save(folder, identity, snapshot))
  }
})
