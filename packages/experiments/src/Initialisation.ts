/**
 * Where weights start: how much each method depends on the initialisation.
 */
import type { Circuit, Start } from "@rai/core"
import * as Comparison from "./Comparison.ts"
import type { Contestant } from "./Contestant.ts"
import * as Paper from "./Paper.ts"

const starts: ReadonlyArray<Start.Name> = [
  "pytorch",
  "glorot",
  "he",
  "lecun",
  "orthogonal",
  "mirrored",
  "lsuv",
  "sweep"
]

/** The automatic plan from each start, with its control: backpropagation alone from the same start. */
const contestants = (activation: Circuit.Activation): ReadonlyArray<Contestant> =>
  starts.flatMap((start) => {
    const shared = { ...Paper.moons, hidden: "100x100", activation, start }
    return [
      { ...shared, name: `${start}: RAI`, plan: "auto" },
      { ...shared, name: `${start}: backpropagation`, plan: "backpropagation", control: true }
    ]
  })

/** The experiment. */
export const experiment = Comparison.make({
  name: "initialisation",
  title: "Where weights start",
  question:
    "A hundred hidden layers on 100 moons: from which starts does the automatic plan arrive, and from which does backpropagation alone?",
  groups: (["sigmoid", "tanh", "relu"] as const).map((activation) => ({
    title: activation,
    contestants: contestants(activation)
  }))
})
