/**
 * Generalisation compared with backpropagation, both tuned alike: the same number of rates for each, chosen on validation data.
 */
import { Effect } from "effect"
import * as Comparison from "./Comparison.ts"
import type { Contestant } from "./Contestant.ts"
import * as Contestants from "./Contestant.ts"
import * as Experiment from "./Experiment.ts"
import * as Format from "./Format.ts"
import type { Page, Section } from "./Page.ts"
import * as Row from "./Row.ts"
import * as Statistics from "./Statistics.ts"

const name = "generalisation"
const title = "Generalisation"
const question =
  "On digits and on moons, full batch, shallow circuits: does RAI generalise as well as backpropagation when both have the same number of rates to choose from, and validation data choose?"

type Data = Pick<Contestant, "data" | "test" | "validation" | "hidden" | "activation">

const sets: ReadonlyArray<readonly [string, Data]> = [
  ["Digits, sigmoid", { data: "digits", test: 0.6, validation: 0.3, hidden: "100x2", activation: "sigmoid" }],
  ["Digits, tanh", { data: "digits", test: 0.6, validation: 0.3, hidden: "100x2", activation: "tanh" }],
  [
    "Moons, relu",
    {
      data: "moons:n=150,noise=0.2,seed=42",
      test: "moons:n=1000,noise=0.2,seed=2024",
      validation: 0.3,
      hidden: "42,100,100,42",
      activation: "relu"
    }
  ]
]

const methods: ReadonlyArray<{
  readonly method: string
  readonly control: boolean
  readonly plans: ReadonlyArray<string>
}> = [
  {
    method: "RAI",
    control: false,
    plans: [
      ...[0.001, 0.003, 0.01].map((rate) => `relax:700:adam=${rate}:z-adam=0.1`),
      ...[0.001, 0.003, 0.01].map((rate) => `relax:700:rprop=${rate}:l2=0.0001`)
    ]
  },
  {
    method: "RAI, then backpropagation",
    control: false,
    plans: [
      ...[0.001, 0.003, 0.01].map((rate) => `relax:400:adam=${rate}:z-adam=0.1,backpropagate:300:adam=0.001`),
      ...[0.001, 0.003, 0.01].map((rate) => `relax:400:rprop=${rate}:l2=0.0001,backpropagate:300:adam=0.001`)
    ]
  },
  {
    method: "backpropagation",
    control: true,
    plans: [
      ...[0.001, 0.003, 0.01].map((rate) => `backpropagate:700:adam=${rate}`),
      ...[0.0001, 0.001, 0.01].map((rate) => `backpropagate:700:rprop=${rate}:l2=0.0001`)
    ]
  }
]

/** The seeds on which the rate is chosen; the chosen rate is then run on all seeds. */
const few = (seeds: ReadonlyArray<number>) => seeds.slice(0, 3)

interface Choice {
  readonly method: string
  readonly plan: string
  readonly validation: number
  readonly chosen: boolean
}

const tuned = Effect.fn("Generalisation.tuned")(function* (
  data: Data,
  { control, method, plans }: (typeof methods)[number],
  settings: Experiment.Settings
) {
  const choosing = { ...settings, seeds: few(settings.seeds) }
  const tried = yield* Effect.forEach(plans, (plan) =>
    Effect.map(Experiment.enter({ ...data, name: `${method}, ${plan}`, plan }, choosing), ({ runs }) => ({
      plan,
      accuracy: Statistics.mean(runs.map((run) => run.validationAccuracy ?? 0)),
      loss: Statistics.median(runs.map((run) => run.validationLoss ?? Number.NaN))
    }))
  )
  const worth = ({ accuracy, loss }: (typeof tried)[number]) => [accuracy, -(Number.isNaN(loss) ? Infinity : loss)]
  const best = tried.reduce((a, b) => {
    const [[ra, la], [rb, lb]] = [worth(a), worth(b)]
    return rb! > ra! || (rb === ra && lb! > la!) ? b : a
  })
  const entry = yield* Experiment.enter({ ...data, name: method, plan: best.plan, control }, settings)
  const choices = tried.map(
    ({ accuracy, plan }): Choice => ({
      method,
      plan,
      validation: accuracy,
      chosen: plan === best.plan
    })
  )
  return { entry, choices }
})

const page = Effect.fn("Generalisation.page")(function* (settings: Experiment.Settings) {
  const outcomes = yield* Effect.forEach(sets, ([set, data]) =>
    Effect.map(
      Effect.forEach(methods, (method) => tuned(data, method, Experiment.within(settings, set))),
      (members) => ({ set, members, rows: members.map(({ entry }) => entry.row) })
    )
  )
  const sections = yield* Effect.forEach(outcomes, ({ members, rows, set }) =>
    Effect.map(
      Comparison.section({ title: set, rows }),
      (section): ReadonlyArray<Section> => [
        section,
        { title: `${set}: the rates tried`, table: grid(members.flatMap(({ choices }) => choices)) }
      ]
    )
  )
  const made: Page = {
    name,
    title,
    question,
    settings: outcomes.flatMap(({ members, set }) =>
      members.map(({ entry }) => `${set}: ${Contestants.describe(entry.ready)}`)
    ),
    sections: sections.flat(),
    shows: outcomes.map(({ rows, set }) => `${set}: ${Row.verdict(rows)}`),
    rows: outcomes.flatMap(({ members, rows, set }) =>
      rows.map((row, i) => ({ group: set, ...row, tried: members[i]!.choices }))
    )
  }
  return made
})

const grid = (choices: ReadonlyArray<Choice>) => ({
  head: ["method", "plan", "validation accuracy", "chosen"],
  rows: choices.map(({ chosen, method, plan, validation }) => [
    method,
    `\`${plan}\``,
    Format.percent(validation),
    chosen ? "yes" : ""
  ])
})

/** The experiment. */
export const experiment: Experiment.Experiment = {
  name,
  title,
  question,
  runs: ({ seeds }) =>
    sets.length * methods.reduce((sum, { plans }) => sum + plans.length * few(seeds).length + seeds.length, 0),
  page
}
