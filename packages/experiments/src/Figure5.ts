/**
 * Figure 5: Relaxed Activation Identity on the deep circuit.
 */
import * as Figure from "./Figure.ts"
import * as Paper from "./Paper.ts"

/** The experiment. */
export const experiment = Figure.make({
  name: "figure-5",
  title: "Figure 5: RAI on a deep circuit",
  question:
    "The paper trains the circuit of figure 4 with every linear map relaxed. How good is the free run, and what closes the relaxation gap?",
  drawn: { ...Paper.deep, ...Paper.relaxing(10_000) },
  others: [
    { ...Paper.deep, ...Paper.equation4(10_000) },
    {
      ...Paper.deep,
      name: "RAI, then backpropagation",
      plan: "relax:250:rprop=0.1,backpropagate:400:rprop=0.001",
      start: "pytorch",
      stop: { loss: 0.05 }
    },
    { ...Paper.deep, ...Paper.backpropagating(10_000), control: true }
  ],
  prototype: { circuit: "2,100x100,1", loss: "0.0003", steps: 10_000, time: "22:59 min" }
})
