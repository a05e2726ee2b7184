/**
 * The paper's motivation: how large the gradient is at each stage, through all later stages and locally.
 */
import type { Circuit, Start } from "@rai/core"
import { Lines } from "@rai/plots"
import { Effect } from "effect"
import type { Contestant } from "./Contestant.ts"
import * as Contestants from "./Contestant.ts"
import * as Experiment from "./Experiment.ts"
import * as Format from "./Format.ts"
import type { Page } from "./Page.ts"
import * as Paper from "./Paper.ts"
import * as Statistics from "./Statistics.ts"

const name = "gradients"
const title = "The gradient at each stage"
const question =
  "A hundred hidden layers on 100 moons: how large is the gradient of each map's parameters, by backpropagation and by RAI, from either start? (A local gradient is as large as its stage's own error ẑ − z: it is 0 where these agree, at every cut but the last when auxiliaries start at the free run, and again where a stage has learnt its part.)"

interface Look {
  readonly contestant: Contestant
  /** Whether to show the norms at the start or at the end. */
  readonly at: "first" | "last"
}

const activations = ["sigmoid", "tanh", "relu"] as const

const looks = (activation: Circuit.Activation): ReadonlyArray<Look> => {
  const shared = { ...Paper.moons, hidden: "100x100", activation }
  const fromStart = (start: Start.Name, said: string): ReadonlyArray<Look> => [
    {
      contestant: {
        ...shared,
        start,
        name: `${said}: backpropagation`,
        plan: "backpropagate:1:rprop=0.001",
        control: true
      },
      at: "first"
    },
    {
      contestant: { ...shared, start, name: `${said}: RAI while relaxing`, plan: "relax:150:rprop=0.001" },
      at: "last"
    }
  ]
  // With a well-scaled start no sweep is needed: the free run's own activations already carry information.
  const swept: Look = {
    contestant: {
      ...shared,
      start: "pytorch",
      name: "PyTorch's start: RAI, swept auxiliaries",
      plan: "relax:1:rprop=0.001:sweep"
    },
    at: "first"
  }
  return [...fromStart("pytorch", "PyTorch's start"), swept, ...fromStart("orthogonal", "well-scaled start")]
}

/** A contestant's gradient norm at each stage, the median over the seeds. */
interface Norms {
  readonly activation: string
  readonly contestant: string
  readonly control: boolean
  readonly norms: ReadonlyArray<number>
}

const page = Effect.fn("Gradients.page")(function* (settings: Experiment.Settings) {
  const described: Array<string> = []
  const rows: Array<Norms> = []
  for (const activation of activations) {
    for (const { at, contestant } of looks(activation)) {
      const { ready, runs } = yield* Experiment.enter(contestant, Experiment.within(settings, activation))
      described.push(Contestants.describe(ready))
      const stages = runs[0]!.first.gradientNorms
      rows.push({
        activation,
        contestant: contestant.name,
        control: contestant.control === true,
        norms: stages.map((_, stage) => Statistics.median(runs.map((run) => run[at].gradientNorms[stage]!)))
      })
    }
  }
  const groups = [...Map.groupBy(rows, ({ activation }) => activation)]
  const sections = yield* Effect.forEach(groups, ([activation, members]) =>
    Effect.map(drawn(activation, members), (svg) => ({
      title: activation,
      table: { head, rows: members.map(cells) },
      figures: [{ name: activation, title: `${activation}: gradient norm at each stage`, svg }]
    }))
  )
  const made: Page = {
    name,
    title,
    question,
    settings: described,
    sections,
    shows: groups.map(
      ([activation, members]) => `${activation}, the norms of the stages: ${members.map(said).join("; ")}.`
    ),
    rows
  }
  return made
})

const drawn = (activation: string, members: ReadonlyArray<Norms>) =>
  Lines.svg({
    title: activation,
    x: "stage (1 is nearest to the input)",
    y: "norm of the gradient",
    series: members.map(({ contestant, norms }) => ({
      name: contestant,
      points: norms.map((norm, i) => [i + 1, norm] as const)
    }))
  })

const head = ["contestant", "first stage", "last stage", "smallest", "largest", "first / last"]

const cells = ({ contestant, control, norms }: Norms): ReadonlyArray<string> => [
  control ? `${contestant} (control)` : contestant,
  ...[norms[0]!, norms.at(-1)!, Math.min(...norms), Math.max(...norms), norms[0]! / norms.at(-1)!].map(Format.number)
]

const said = ({ contestant, norms }: Norms): string => {
  const gone = norms.filter((norm) => !(norm > 0)).length
  const some = norms.filter((norm) => norm > 0)
  const ratio = Math.max(...some) / Math.min(...some)
  const factor = ratio < 1e4 ? String(Math.round(ratio)) : Format.number(ratio)
  const zeros = gone === 0 ? [] : [`${gone} of ${norms.length} ${gone === 1 ? "is" : "are"} 0`]
  const spread = some.length < 2 ? [] : [`${gone === 0 ? "all" : "the others"} within a factor of ${factor}`]
  return [contestant, ...zeros, ...spread].join(", ")
}

/** The experiment. */
export const experiment: Experiment.Experiment = {
  name,
  title,
  question,
  runs: ({ seeds }) => activations.flatMap(looks).length * seeds.length,
  page
}
