/**
 * Experiments that are tables: groups of contestants, each group with its control, scored on data that training never saw.
 */
import { DataInvalid } from "@rai/core"
import { Deviations } from "@rai/plots"
import { Effect } from "effect"
import type { Contestant } from "./Contestant.ts"
import * as Contestants from "./Contestant.ts"
import * as Experiment from "./Experiment.ts"
import type { Page, Section } from "./Page.ts"
import * as Row from "./Row.ts"
import * as Statistics from "./Statistics.ts"

/** Contestants that are compared with each other. */
export interface Group {
  readonly title: string
  readonly contestants: ReadonlyArray<Contestant>
}

/** The rows of a group. */
export interface Outcome {
  readonly title: string
  readonly rows: ReadonlyArray<Row.Row>
}

/** The comparison as data. */
export interface Comparison {
  readonly name: string
  readonly title: string
  readonly question: string
  readonly groups: ReadonlyArray<Group>
  /** Sums up what a group's rows show; by default, the best contestant compared with the best control. */
  readonly verdict?: (outcome: Outcome) => string
}

/** Makes the experiment that carries out the comparison. */
export const make = (comparison: Comparison): Experiment.Experiment => {
  const { groups, name, question, title, verdict = ({ rows }) => Row.verdict(rows) } = comparison
  const page = Effect.fn("Comparison.page")(function* (settings: Experiment.Settings) {
    const leftOut: Array<string> = []
    const outcomes: Array<{ readonly entries: ReadonlyArray<Experiment.Entry> } & Outcome> = []
    for (const group of groups) {
      const named = groups.length === 1 ? settings : Experiment.within(settings, group.title)
      const entered = yield* Effect.forEach(group.contestants, (contestant) => enter(contestant, named, leftOut))
      const entries = entered.flat()
      if (entries.length === 0) {
        const expected = `hidden widths that fit a plan of ${group.title}`
        const came = `${settings.hidden} fits none: ${leftOut.at(-1)}`
        return yield* new DataInvalid({ source: name, setting: "hidden", expected, came, advice: "give other widths" })
      }
      outcomes.push({ title: group.title, entries, rows: entries.map(({ row }) => row) })
    }
    const sections = yield* Effect.forEach(outcomes, section)
    const made: Page = {
      name,
      title,
      question,
      settings: [
        ...outcomes.flatMap(({ entries, title: group }) =>
          entries.map(({ ready }) => (groups.length === 1 ? "" : `${group}: `) + Contestants.describe(ready))
        ),
        ...leftOut
      ],
      sections,
      shows: outcomes.map((outcome) => (groups.length === 1 ? "" : `${outcome.title}: `) + verdict(outcome)),
      rows: outcomes.flatMap(({ rows, title: group }) => rows.map((row) => ({ group, ...row })))
    }
    return made
  })
  const runs = ({ seeds }: Experiment.Settings): number =>
    groups.flatMap(({ contestants }) => contestants).length * seeds.length
  return { name, title, question, runs, page }
}

/** Enters a contestant, but leaves it out with a note of the reason if its plan does not fit the hidden widths given in the settings. */
const enter = (contestant: Contestant, settings: Experiment.Settings, leftOut: Array<string>) =>
  Experiment.enter(contestant, settings).pipe(
    Effect.map((entry) => [entry]),
    Effect.catchTag("PlanUnfit", (error) => {
      if (settings.hidden === undefined) return Effect.fail(error)
      leftOut.push(`left out: ${contestant.name}, for ${error.message}`)
      return Effect.succeed([])
    })
  )

/** A group's table and its plot. */
export const section = Effect.fn("Comparison.section")(function* ({ rows, title }: Outcome) {
  const svg = yield* accuracies(rows, title)
  const made: Section = {
    title,
    text: Row.losses(rows),
    table: Row.table(rows),
    figures: [{ name: slug(title), title: `${title}: test accuracy of each run`, svg }]
  }
  return made
})

type Drawn = Pick<Row.Row, "accuracies" | "control" | "name">

/** Plots the test accuracy of each run, with mean and deviation. */
export const accuracies = (rows: ReadonlyArray<Drawn>, title: string) =>
  Deviations.svg({
    title,
    value: "test accuracy of the free run",
    extent: [lowest(rows.map((row) => row.accuracies)), 1],
    rows: rows.map(({ accuracies: values, control, name }) => ({ name, values, control }))
  })

/** A round number below every run and every deviation, so that the axis shows differences of a tenth of a point where it can. */
const lowest = (runs: ReadonlyArray<ReadonlyArray<number>>): number => {
  const ends = runs.flatMap((values) => [...values, Statistics.mean(values) - Statistics.deviation(values)])
  const width = Math.max(0.01, 1 - Math.min(...ends.filter(Number.isFinite)))
  const step = 10 ** Math.floor(Math.log10(width)) / 2
  // Exactly round, so that the axis has a tick there.
  return Math.max(0, Number((1 - step * Math.ceil(width / step - 1e-9)).toFixed(4)))
}

/** Makes a part of a file name: `PyTorch's start, tanh` → `pytorchs-start-tanh`. */
export const slug = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll("'", "")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")
