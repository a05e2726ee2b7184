/**
 * How much decision boundaries differ from run to run: the weaker bias described in section 5 of the paper.
 */
import type { Trained } from "@rai/core"
import { Deviations, Landscape, Plane } from "@rai/plots"
import { Effect } from "effect"
import * as Comparison from "./Comparison.ts"
import type { Contestant } from "./Contestant.ts"
import * as Contestants from "./Contestant.ts"
import * as Experiment from "./Experiment.ts"
import * as Format from "./Format.ts"
import type { Page } from "./Page.ts"
import * as Paper from "./Paper.ts"
import * as Statistics from "./Statistics.ts"

const name = "boundaries"
const title = "Boundaries from run to run"
const question =
  "The paper sees that backpropagation settles for similar boundaries in every run and RAI does not. On what share of the plane [-3, 3]² do two runs that differ in their seed disagree?"

const contestants: ReadonlyArray<Contestant> = [
  { ...Paper.shallow, name: "shallow: RAI", plan: "relax:1000:rprop=0.01" },
  {
    ...Paper.shallow,
    name: "shallow: RAI, then backpropagation",
    plan: "relax:500:rprop=0.01,backpropagate:300:rprop=0.001"
  },
  { ...Paper.shallow, name: "shallow: backpropagation", plan: "backpropagate:300:rprop=0.001", control: true },
  { ...Paper.deep, name: "deep: RAI", plan: "auto" },
  { ...Paper.deep, name: "deep: backpropagation, well-scaled start", plan: "backpropagation", control: true },
  { ...Paper.deep, name: "deep: RAI, PyTorch's start", plan: "auto", start: "pytorch" }
]

/** Share of cells in which the more probable class differs. */
export const disagreement = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let different = 0
  for (let i = 0; i < a.length; i++) if (a[i]! > 0.5 !== b[i]! > 0.5) different++
  return different / a.length
}

/** The disagreement of every pair of runs. */
export const pairs = (runs: ReadonlyArray<ArrayLike<number>>): ReadonlyArray<number> =>
  runs.flatMap((a, i) => runs.slice(i + 1).map((b) => disagreement(a, b)))

interface Row {
  readonly name: string
  readonly control: boolean
  readonly accuracy: number
  /** One per pair of runs. */
  readonly disagreements: ReadonlyArray<number>
  readonly meanDisagreement: number
  readonly deviation: number
}

const page = Effect.fn("Boundaries.page")(function* (settings: Experiment.Settings) {
  const entries = yield* Effect.forEach(contestants, (contestant) =>
    Experiment.enter(contestant, settings, {
      look: (trained: Trained.Trained) => Plane.probabilities(trained, Plane.paper)
    })
  )
  const rows = entries.map(({ ready, row, runs }): Row => {
    const disagreements = pairs(runs.flatMap(({ seen }) => (seen === undefined ? [] : [seen])))
    return {
      name: ready.contestant.name,
      control: ready.contestant.control === true,
      accuracy: row.meanAccuracy,
      disagreements,
      meanDisagreement: Statistics.mean(disagreements),
      deviation: Statistics.deviation(disagreements)
    }
  })
  const svg = yield* Deviations.svg({
    title: "Disagreement of two runs",
    value: "share of the plane on which two runs disagree",
    rows: rows.map(({ control, disagreements: values, name: of }) => ({ name: of, values, control }))
  })
  const votes = yield* Effect.forEach(entries, ({ ready, runs }) =>
    Effect.map(landscape(ready, runs), (picture) => ({
      name: Comparison.slug(ready.contestant.name),
      title: `${ready.contestant.name}: the share of runs that answer class 1`,
      svg: picture
    }))
  )
  const made: Page = {
    name,
    title,
    question,
    settings: entries.map(({ ready }) => Contestants.describe(ready)),
    sections: [
      {
        title: "Disagreement",
        table: { head: ["contestant", "two runs disagree on", "largest", "test accuracy"], rows: rows.map(cells) },
        figures: [{ name: "disagreement", title: "Disagreement of each pair of runs", svg }]
      },
      { title: "The runs' votes", figures: votes }
    ],
    shows: ["shallow", "deep"].map((depth) => said(rows.filter((row) => row.name.startsWith(depth)))),
    rows
  }
  return made
})

const cells = ({ accuracy, control, deviation, disagreements, meanDisagreement, name: of }: Row) => [
  control ? `${of} (control)` : of,
  disagreements.length === 0 ? "–" : Format.deviating(meanDisagreement, deviation),
  disagreements.length === 0 ? "–" : Format.percent(Math.max(...disagreements)),
  Format.percent(accuracy)
]

/** Draws for each cell the share of runs that answer class 1. */
const landscape = (ready: Contestants.Ready, runs: Experiment.Entry<Float32Array>["runs"]) => {
  const seen = runs.flatMap((run) => (run.seen === undefined ? [] : [run.seen]))
  const probability = Float64Array.from({ length: Plane.paper.grid ** 2 }, (_, i) =>
    Statistics.mean(seen.map((cell) => (cell[i]! > 0.5 ? 1 : 0)))
  )
  const subtitle = `share of ${seen.length} runs that answer class 1`
  return Landscape.svg({
    ...Plane.paper,
    title: ready.contestant.name,
    subtitle,
    value: "share of runs that answer class 1",
    probability,
    points: Plane.points(ready.train)
  })
}

const said = (rows: ReadonlyArray<Row>): string =>
  `${rows.map((row) => `${row.name}, two runs disagree on ${Format.percent(row.meanDisagreement)} of the plane`).join("; ")}.`

/** The experiment. */
export const experiment: Experiment.Experiment = {
  name,
  title,
  question,
  runs: ({ seeds }) => contestants.length * seeds.length,
  page
}
