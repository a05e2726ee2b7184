/**
 * Figure 2: backpropagation on the shallow circuit.
 */
import * as Figure from "./Figure.ts"
import * as Paper from "./Paper.ts"

/** The experiment. */
export const experiment = Figure.make({
  name: "figure-2",
  title: "Figure 2: backpropagation on a shallow circuit",
  question:
    "The paper trains 2,42,100,100,42,1 with relu on 100 moons by backpropagation. What does it learn, and how surely?",
  drawn: { ...Paper.shallow, ...Paper.backpropagating(100) },
  others: [{ ...Paper.shallow, ...Paper.wellScaled }],
  // The notebook's circuit has one hidden layer of 100 units fewer than the paper says.
  prototype: { circuit: "2,42,100,42,1", loss: "0.0000", steps: 100, time: "0.5 s" }
})
