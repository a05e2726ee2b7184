/**
 * Which regularisers help: the paper expects serious applications to need some.
 */
import * as Comparison from "./Comparison.ts"
import type { Contestant } from "./Contestant.ts"

const forms: ReadonlyArray<readonly [string, string]> = [
  ["l2 1e-4", "l2=0.0001"],
  ["l1 1e-5", "l1=0.00001"],
  ["noise 0.1 on auxiliaries", "noise=0.1"],
  ["penalty 1e-3 on auxiliaries", "penalty=0.001"],
  ["λ 0.1", "lambda=0.1"],
  ["λ 10", "lambda=10"],
  ["λ rising from 0.1 to 10", "lambda=0.1:ramp=exponential100"],
  ["refresh every 50 steps", "refresh=50"],
  ["multipliers 0.1", "multipliers=0.1"],
  ["Huber hidden loss", "hidden=huber"],
  ["cosine hidden loss", "hidden=cosine"]
]

type Data = Pick<Contestant, "data" | "test" | "hidden" | "activation">

const contestants = (data: Data, relaxing: string, backpropagating: string): ReadonlyArray<Contestant> => [
  { ...data, name: "none", plan: relaxing, control: true },
  ...forms.map(([name, setting]) => ({ ...data, name, plan: `${relaxing}:${setting}` })),
  { ...data, name: "backpropagation", plan: backpropagating, control: true },
  { ...data, name: "backpropagation, l2 1e-4", plan: `${backpropagating}:l2=0.0001`, control: true }
]

/** Fewer and noisier points than the paper's, so that there is something to memorise. */
const moons: Data = {
  data: "moons:n=60,noise=0.25,seed=42",
  test: "moons:n=1000,noise=0.25,seed=2024",
  hidden: "42,100,100,42",
  activation: "tanh"
}

const digits: Data = { data: "digits", test: 0.6, hidden: "100x2", activation: "sigmoid" }

/** The experiment. */
export const experiment = Comparison.make({
  name: "regularisation",
  title: "Which regularisers help",
  question:
    "Relaxing alone, full batch, on few and noisy moons and on two fifths of the digits: what does each regulariser do to the free run on data it never saw?",
  groups: [
    { title: "Moons", contestants: contestants(moons, "relax:500:rprop=0.01", "backpropagate:500:rprop=0.001") },
    { title: "Digits", contestants: contestants(digits, "relax:500:rprop=0.01", "backpropagate:500:rprop=0.001") }
  ]
})
