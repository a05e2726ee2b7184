/**
 * Figure 3: Relaxed Activation Identity on the shallow circuit.
 */
import * as Figure from "./Figure.ts"
import * as Paper from "./Paper.ts"

/** The experiment. */
export const experiment = Figure.make({
  name: "figure-3",
  title: "Figure 3: RAI on a shallow circuit",
  question:
    "The paper trains the circuit of figure 2 with every linear map relaxed. Its relaxed loss goes to zero: what does the free run do, and how surely?",
  drawn: { ...Paper.shallow, ...Paper.relaxing(10_000) },
  others: [
    { ...Paper.shallow, ...Paper.equation4(10_000) },
    { ...Paper.shallow, ...Paper.backpropagating(100), control: true }
  ],
  prototype: { circuit: "2,42,100,100,42,1", loss: "0.0003", steps: 10_000, time: "1:33 min" }
})
