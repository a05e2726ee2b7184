/**
 * Figure 4: backpropagation on the deep circuit.
 */
import * as Figure from "./Figure.ts"
import * as Paper from "./Paper.ts"

/** The experiment. */
export const experiment = Figure.make({
  name: "figure-4",
  title: "Figure 4: backpropagation on a deep circuit",
  question:
    "The paper fails to train a hundred hidden sigmoid layers by backpropagation. Is it the depth, or where the weights start?",
  drawn: { ...Paper.deep, ...Paper.backpropagating(10_000) },
  others: [{ ...Paper.deep, ...Paper.wellScaled }],
  prototype: { circuit: "2,100x100,1", loss: "0.6931", steps: 10_000, time: "15:19 min" }
})
