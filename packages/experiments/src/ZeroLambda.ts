/**
 * λ = 0: only the output's error is trained, which according to the paper does not generalise.
 */
import * as Comparison from "./Comparison.ts"
import type { Contestant } from "./Contestant.ts"
import * as Format from "./Format.ts"
import * as Paper from "./Paper.ts"
import type { Row } from "./Row.ts"

const contestants = (circuit: typeof Paper.shallow | typeof Paper.deep): ReadonlyArray<Contestant> => [
  { ...circuit, name: "λ = 0", plan: "relax:2000:rprop=0.1:lambda=0" },
  { ...circuit, name: "λ = 1", plan: "relax:2000:rprop=0.1", control: true }
]

const said = ({ meanAccuracy, name, relaxedLoss, trainingLoss, deviation }: Row): string =>
  `with ${name} the relaxed loss ends at ${Format.number(relaxedLoss)}, the free run's at ${Format.number(trainingLoss)}, with ${Format.deviating(meanAccuracy, deviation)} on fresh points`

/** The experiment. */
export const experiment = Comparison.make({
  name: "zero-lambda",
  title: "Only the output's error trained",
  question:
    "The paper says that without the hidden energies (λ = 0) a circuit does not generalise: the last map learns, and every other part settles for anything. Does it?",
  groups: [
    { title: "Shallow, relu", contestants: contestants(Paper.shallow) },
    { title: "Deep, sigmoid", contestants: contestants(Paper.deep) }
  ],
  verdict: ({ rows }) => `${rows.map(said).join("; ")}.`
})
