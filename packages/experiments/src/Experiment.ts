/**
 * An experiment: a question, contestants and their control as data, and an Effect that answers the question with a page.
 */
import type { CircuitSpec, DataInvalid, Engine, PlanSpec, Training } from "@rai/core"
import type { DataMismatch } from "@rai/plots"
import { Effect, type FileSystem } from "effect"
import type { Contestant } from "./Contestant.ts"
import * as Contestants from "./Contestant.ts"
import * as Format from "./Format.ts"
import type { Page } from "./Page.ts"
import * as Row from "./Row.ts"
import * as Run from "./Run.ts"

/** Settings for carrying out an experiment. */
export interface Settings {
  /** One run of each contestant per seed; at least one seed. */
  readonly seeds: ReadonlyArray<number>
  /** Maximum number of steps per phase, or epochs if it uses batches; by default the experiment's own numbers. */
  readonly steps?: number | undefined
  /** Hidden widths in place of the experiment's own, such as `100x20`. */
  readonly hidden?: string | undefined
  /** Called with a line about each run when it ends. */
  readonly follow?: (line: string) => Effect.Effect<void>
}

/** The errors that an experiment can fail with. */
export type Failure =
  | Training.TrainingError
  | DataInvalid
  | PlanSpec.PlanInvalid
  | CircuitSpec.CircuitInvalid
  | DataMismatch

/** One experiment. */
export interface Experiment {
  /** Its name in `rai experiment`. */
  readonly name: string
  readonly title: string
  readonly question: string
  /** How many runs the page takes; fewer where contestants do not fit hidden widths given in the settings. */
  readonly runs: (settings: Settings) => number
  readonly page: (settings: Settings) => Effect.Effect<Page, Failure, Engine.Engine | FileSystem.FileSystem>
}

/** A contestant with its runs. */
export interface Entry<A = undefined> {
  readonly ready: Contestants.Ready
  readonly runs: ReadonlyArray<Run.Run<A>>
  readonly row: Row.Row
}

/** Runs a contestant over the seeds. */
export const enter = Effect.fn("Experiment.enter")(function* <A = undefined, E = never, R = never>(
  contestant: Contestant,
  settings: Settings,
  options: Run.Options<A, E, R> = {}
) {
  const ready = yield* Contestants.ready(contestant, settings)
  const { follow = () => Effect.void, seeds } = settings
  const runs = yield* Effect.forEach(seeds, (seed) =>
    Effect.tap(Run.carryOut(ready, seed, options), (run) => follow(`${contestant.name}, seed ${seed}: ${told(run)}`))
  )
  const entry: Entry<A> = { ready, runs, row: Row.of(contestant, runs) }
  return entry
})

/** The settings, with a heading in front of the lines about runs. */
export const within = (settings: Settings, heading: string): Settings => ({
  ...settings,
  follow: (line) => settings.follow?.(`${heading}: ${line}`) ?? Effect.void
})

const told = ({ accuracy, lost, seconds, steps }: Run.Run<unknown>): string =>
  lost ?? `test accuracy ${Format.percent(accuracy)} after ${steps} steps in ${Format.seconds(seconds)}`
