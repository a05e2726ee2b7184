/**
 * One run of a contestant: trained from a seed and scored on data that it never saw.
 */
import {
  type Dataset,
  type Engine,
  History,
  type Measurement,
  Score,
  type Trained,
  Training,
  type TrainingEvent
} from "@rai/core"
import { Effect, Stream } from "effect"
import type { Ready } from "./Contestant.ts"
import type { Failure } from "./Experiment.ts"

/** The outcome of a run; losses and accuracies are the free run's unless named relaxed. */
export interface Run<A = undefined> {
  readonly seed: number
  readonly steps: number
  readonly seconds: number
  readonly trainingLoss: number
  readonly trainingAccuracy: number
  /** Accuracy on the test data; 0 if the run lost its numbers, since it cannot answer. */
  readonly accuracy: number
  /** Accuracy on one half of the test data; `judging` is that on the other half. */
  readonly picking: number
  readonly judging: number
  readonly validationAccuracy: number | undefined
  readonly validationLoss: number | undefined
  /** At the end of the last relaxing phase. */
  readonly relaxedLoss: number | undefined
  readonly relaxationGap: number | undefined
  /** Training accuracy reached by relaxing alone, before any backpropagation. */
  readonly relaxedAlone: number | undefined
  /** The measurement at the start; `last` is that at the end. */
  readonly first: Measurement.Measurement
  readonly last: Measurement.Measurement
  /** All measurements, if requested. */
  readonly history: ReadonlyArray<History.Row>
  /** How numbers were lost, if they were. */
  readonly lost: string | undefined
  /** What `look` returned for the trained circuit; absent if numbers were lost. */
  readonly seen: A | undefined
}

/** What else to collect from a run. */
export interface Options<A, E, R> {
  readonly look?: (trained: Trained.Trained) => Effect.Effect<A, E, R>
  readonly history?: boolean
}

/** Trains from the seed and scores the free run. Lost numbers are a result; any other error is a failure. */
export const carryOut = Effect.fn("Run.carryOut")(function* <A = undefined, E = never, R = never>(
  ready: Ready,
  seed: number,
  options: Options<A, E, R> = {}
): Effect.fn.Return<Run<A>, E | Failure, R | Engine.Engine> {
  const { circuit, halves, plan, test, train, validation } = ready
  const noted: Noted = { history: [] }
  const followed = Training.stream(circuit, train, { plan, seed, validation }).pipe(
    Stream.runForEach((event) => Effect.sync(() => note(noted, event, options.history === true))),
    Effect.as(undefined),
    Effect.catchTag("NumbersLost", ({ message }) => Effect.succeed(message))
  )
  const lost: string | undefined = yield* followed
  const { finished, step } = noted
  const last = (finished?.measurement ?? noted.last)!
  const trained = finished?.trained
  const scoreOn = (data: Dataset.Dataset) =>
    trained === undefined || lost !== undefined
      ? Effect.succeed(0)
      : Effect.map(Score.score(trained, data), ({ accuracy = Number.NaN }) => accuracy)
  const seen = trained === undefined || options.look === undefined ? undefined : yield* options.look(trained)
  const progress = (finished ?? step)!.progress
  const run: Run<A> = {
    seed,
    steps: progress.total,
    seconds: progress.seconds,
    trainingLoss: lost === undefined ? last.freeRunLoss : Number.NaN,
    trainingAccuracy: lost === undefined ? (last.freeRunAccuracy ?? Number.NaN) : 0,
    accuracy: yield* scoreOn(test),
    picking: yield* scoreOn(halves.picking),
    judging: yield* scoreOn(halves.judging),
    validationAccuracy: lost === undefined ? last.validationAccuracy : 0,
    validationLoss: lost === undefined ? last.validationLoss : Number.NaN,
    relaxedLoss: progress.relaxedLoss,
    relaxationGap: progress.relaxationGap,
    relaxedAlone: noted.relaxedAlone,
    first: noted.first!,
    last,
    history: noted.history,
    lost,
    seen
  }
  return run
})

interface Noted {
  first?: Measurement.Measurement
  last?: Measurement.Measurement
  step?: TrainingEvent.Step
  finished?: TrainingEvent.Finished
  relaxedAlone?: number
  history: Array<History.Row>
}

const note = (noted: Noted, event: TrainingEvent.TrainingEvent, all: boolean): void => {
  if (event._tag === "Finished") noted.finished = event
  if (event._tag !== "Step") return
  noted.step = event
  const { measurement, phase } = event
  if (measurement === undefined) return
  noted.first ??= measurement
  noted.last = measurement
  if (phase.kind !== "backpropagate") noted.relaxedAlone = measurement.freeRunAccuracy ?? Number.NaN
  if (all) noted.history.push(History.row(event)!)
}
