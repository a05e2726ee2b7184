/**
 * Mini-batches: "incompatible, at first glance".
 */
import type { Circuit } from "@rai/core"
import * as Comparison from "./Comparison.ts"
import type { Contestant } from "./Contestant.ts"

// In tanh coordinates, as in the automatic plan, whose rate is min(0.05, 0.75/T): centred spectral steps, with a decay of 1/1.5 per unit of rate.
const spectral = "muon=0.05+momentum=0.9+nesterov=0+decay=0.667"
const batches = { batch: 64, epochs: 40 }

const contestants = (activation: Circuit.Activation): ReadonlyArray<Contestant> => {
  const shared = { data: "digits", test: 0.2, hidden: "100x20", activation } as const
  const hard = { ...shared, start: "pytorch", coordinates: "tanh" } as const
  // Each auxiliary is moved once an epoch, so that rates rise over half of them: from the full rate on, z runs ahead of what the maps learn.
  const kept = "relax:40:batch=64:curve=warmup0.5*cosine:z-adam=0.1"
  const backpropagating = { ...shared, plan: "backpropagate:40:batch=64:adam=0.001", control: true } as const
  return [
    { ...hard, name: "PyTorch's start, auxiliaries anew for each batch", plan: `alternate:40:batch=64:${spectral}` },
    { ...hard, name: "PyTorch's start, auxiliaries kept, Adam", plan: `${kept}:adam=0.001` },
    { ...hard, name: "PyTorch's start, auxiliaries kept, spectral", plan: `${kept}:${spectral}` },
    { ...hard, name: "PyTorch's start, auxiliaries kept, spectral, refreshed", plan: `${kept}:${spectral}:refresh=10` },
    {
      ...hard,
      name: "PyTorch's start, anew for each batch, then backpropagation",
      plan: `alternate:10:batch=64:${spectral},backpropagate:30:batch=64:adam=0.001`
    },
    { ...shared, name: "automatic plan, PyTorch's start swept", plan: "auto", start: "pytorch", batches },
    { ...shared, name: "automatic plan and start", plan: "auto", batches },
    { ...backpropagating, name: "backpropagation, PyTorch's start", start: "pytorch" },
    { ...shared, name: "backpropagation, automatic start", plan: "backpropagation", batches, control: true },
    { ...shared, name: "backpropagation, swept start", plan: "backpropagation", start: "sweep", batches, control: true }
  ]
}

/** The experiment. */
export const experiment = Comparison.make({
  name: "batches",
  title: "Mini-batches",
  question:
    "The paper finds RAI incompatible with mini-batches, at first glance. Twenty hidden layers of 100 units on digits, batches of 64, 40 epochs: which form works, and from which start?",
  groups: (["sigmoid", "tanh"] as const).map((activation) => ({
    title: activation,
    contestants: contestants(activation)
  }))
})
