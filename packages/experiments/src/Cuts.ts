/**
 * Which maps to relax: the choice that the prototype's author found decisive.
 */
import type { Start } from "@rai/core"
import * as Comparison from "./Comparison.ts"
import type { Contestant } from "./Contestant.ts"
import * as Paper from "./Paper.ts"

const cuts: ReadonlyArray<readonly [string, string]> = [
  ...[1, 2, 5, 10, 20, 50].map((every) => [`every ${every}`, every === 1 ? "" : `:every=${every}`] as const),
  ["every 1, after the activation", ":after=activation"],
  ["every 10, after the activation", ":every=10:after=activation"],
  ["every 1, the output too", ":output"]
]

/** Relaxing alone, so that only the cuts matter; the uncut control is backpropagation for as many steps, at the same rate and at its own. */
const contestants = (start: Start.Name, steps: number, rate: number, ownRate: number): ReadonlyArray<Contestant> => {
  const shared = { ...Paper.moons, hidden: "100x100", activation: "tanh", start } as const
  const rates = [...new Set([rate, ownRate])]
  return [
    ...cuts.map(([name, setting]) => ({ ...shared, name, plan: `relax:${steps}:rprop=${rate}${setting}` })),
    ...rates.map((each) => ({
      ...shared,
      name: `no cut, rate ${each}`,
      plan: `backpropagate:${steps}:rprop=${each}`,
      control: true
    }))
  ]
}

/** The experiment. */
export const experiment = Comparison.make({
  name: "cuts",
  title: "Which maps to relax",
  question:
    "A hundred hidden tanh layers on 100 moons, relaxing alone: after which maps must the circuit be cut, from a well-scaled start and from PyTorch's?",
  groups: [
    { title: "Well-scaled start", contestants: contestants("orthogonal", 120, 0.001, 0.0001) },
    { title: "PyTorch's start", contestants: contestants("pytorch", 250, 0.01, 0.001) }
  ]
})
