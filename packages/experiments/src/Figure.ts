/**
 * Reproduces one of the paper's figures: its settings, its landscape, its time beside ours, and the statistics that it lacks.
 */
import type { Trained } from "@rai/core"
import { Course, Landscape, Loss, Plane } from "@rai/plots"
import { Effect } from "effect"
import * as Comparison from "./Comparison.ts"
import type { Contestant } from "./Contestant.ts"
import * as Contestants from "./Contestant.ts"
import * as Experiment from "./Experiment.ts"
import * as Format from "./Format.ts"
import type { Page, Table } from "./Page.ts"
import * as Row from "./Row.ts"
import * as Run from "./Run.ts"
import * as Seeds from "./Seeds.ts"

/** A figure as data. */
export interface Figure {
  readonly name: string
  readonly title: string
  readonly question: string
  /** The contestant that is drawn, with the figure's own number of steps and the first seed. */
  readonly drawn: Contestant
  /** Further contestants for the statistics, a control among them. */
  readonly others: ReadonlyArray<Contestant>
  /** What the prototype's notebook reports. */
  readonly prototype: {
    readonly circuit: string
    readonly loss: string
    readonly steps: number
    readonly time: string
  }
}

/** Makes the experiment that reproduces the figure. The settings' steps shorten the statistics, not the run that is drawn. */
export const make = (figure: Figure): Experiment.Experiment => {
  const { drawn, name, question, title } = figure
  const page = Effect.fn("Figure.page")(function* (settings: Experiment.Settings) {
    const { follow = () => Effect.void, seeds } = settings
    const whole = yield* Contestants.ready(drawn, { ...settings, steps: undefined })
    const options = { look: (trained: Trained.Trained) => Plane.probabilities(trained, Plane.paper), history: true }
    const shortened = settings.steps !== undefined
    const apart = shortened ? yield* Run.carryOut(whole, seeds[0]!, options) : undefined
    if (apart !== undefined) {
      yield* follow(`the figure: test accuracy ${Format.percent(apart.accuracy)} in ${Format.seconds(apart.seconds)}`)
    }
    const own = yield* Experiment.enter(drawn, settings, options)
    const run = apart ?? own.runs[0]!
    const others = yield* Effect.forEach(figure.others, (contestant) => Experiment.enter(contestant, settings))
    const entries = [own, ...others]
    const rows = entries.map(({ row }) => row)
    const statistics = yield* Comparison.section({ title: "Statistics", rows })
    const picture = {
      title: `${drawn.name}, ${whole.widths} ${drawn.activation}`,
      subtitle: `${run.steps} steps, ${Format.percent(run.accuracy)} on fresh points`,
      points: Plane.points(whole.train)
    }
    const shown = {
      ...Plane.paper,
      ...picture,
      probability: run.seen ?? new Float32Array(Plane.paper.grid ** 2).fill(Number.NaN)
    }
    const made: Page = {
      name,
      title,
      question,
      settings: [
        `the figure: ${Contestants.describe(whole)}, seed ${seeds[0]}`,
        ...entries.map(({ ready }) => `statistics: ${Contestants.describe(ready)}`)
      ],
      sections: [
        {
          title: "The figure",
          table: beside(figure, whole.widths, run),
          figures: [
            { name: "landscape", title: `${title}: the landscape`, svg: yield* Landscape.svg(shown) },
            { name: "loss", title: `${title}: the losses`, svg: yield* Loss.svg(Course.loss(run.history)) }
          ]
        },
        {
          ...statistics,
          text: [
            `Seeds ${Seeds.print(seeds)}, ${entries[0]!.row.steps} steps of ${drawn.name}; accuracy on 1,000 fresh points.`,
            ...(statistics.text ?? [])
          ]
        }
      ],
      shows: [figureShows(figure, run), Row.verdict(rows)],
      rows: [{ figure: name, ...numbers(run) }, ...rows]
    }
    return made
  })
  const runs = ({ seeds, steps }: Experiment.Settings): number =>
    (1 + figure.others.length) * seeds.length + (steps === undefined ? 0 : 1)
  return { name, title, question, runs, page }
}

type Drawn = Run.Run<Float32Array>

const numbers = ({ accuracy, lost, relaxedLoss, relaxationGap, seconds, steps, ...run }: Drawn) => ({
  steps,
  seconds,
  relaxedLoss,
  relaxationGap,
  trainingLoss: run.trainingLoss,
  trainingAccuracy: run.trainingAccuracy,
  accuracy,
  lost
})

const beside = ({ prototype }: Figure, widths: string, run: Drawn): Table => ({
  head: ["", "the paper's prototype", "here"],
  rows: [
    ["circuit", prototype.circuit, widths],
    ["printed loss (relaxed where something is relaxed)", prototype.loss, printed(run)],
    ["loss of the free run", "–", Format.number(run.trainingLoss)],
    ["training accuracy of the free run", "–", Format.percent(run.trainingAccuracy)],
    ["accuracy on 1,000 fresh points", "–", Format.percent(run.accuracy)],
    ["steps", String(prototype.steps), String(run.steps)],
    ["time", prototype.time, Format.seconds(run.seconds)]
  ]
})

const printed = (run: Drawn): string => Format.number(run.relaxedLoss ?? run.trainingLoss)

const figureShows = ({ drawn, prototype }: Figure, run: Drawn): string => {
  if (run.lost !== undefined) return `Drawn from one seed, ${drawn.name} lost its numbers: ${run.lost}.`
  const gap =
    run.relaxedLoss === undefined
      ? ""
      : `, where the relaxed loss is ${Format.number(run.relaxedLoss)} and the relaxation gap ${Format.number(run.relaxationGap)}`
  return `Drawn from one seed, ${drawn.name} ends with a free-run loss of ${Format.number(run.trainingLoss)} and ${Format.percent(run.accuracy)} on fresh points${gap}; it took ${Format.seconds(run.seconds)}, the prototype ${prototype.time}.`
}
