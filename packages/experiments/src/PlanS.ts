/**
 * From PyTorch's start: the sweep, what it achieves by itself, and what relaxing adds.
 */
import type { Circuit } from "@rai/core"
import * as Comparison from "./Comparison.ts"
import type { Contestant } from "./Contestant.ts"
import * as Paper from "./Paper.ts"

const contestants = (activation: Circuit.Activation): ReadonlyArray<Contestant> => {
  const shared = { ...Paper.moons, hidden: "100x100", activation } as const
  return [
    { ...shared, name: "PyTorch's start, swept auxiliaries, every map relaxed", plan: "auto", start: "pytorch" },
    { ...shared, name: "swept weights, relaxed", plan: "auto", start: "sweep" },
    {
      ...shared,
      name: "swept weights, backpropagation",
      plan: "backpropagation",
      start: "sweep",
      control: true
    },
    {
      ...shared,
      name: "swept weights, read-out alone",
      plan: "backpropagate:200:rprop=0.01:only=output",
      start: "sweep",
      coordinates: "tanh",
      stop: { loss: 0.02, accuracy: 1 },
      control: true
    },
    ...[0.1, 0.01, 0.001, 0.0001].map((rate) => ({
      ...shared,
      name: `PyTorch's start, backpropagation ${rate}`,
      plan: `backpropagate:300:rprop=${rate}`,
      start: "pytorch" as const,
      control: true
    }))
  ]
}

/** The experiment. */
export const experiment = Comparison.make({
  name: "plan-s",
  title: "From PyTorch's start",
  question:
    "From PyTorch's start the activations of a deep circuit are the same for all examples. One sweep of closed-form local problems gives auxiliaries, or weights, that carry information: how much of the result is the sweep's, how much relaxing's?",
  groups: (["sigmoid", "tanh", "relu"] as const).map((activation) => ({
    title: activation,
    contestants: contestants(activation)
  }))
})
