/**
 * Stochastic gradient descent with momentum.
 */
import * as NdArray from "../tensor/NdArray.ts"
import type { Optimizer } from "./Optimizer.ts"

const μ = 0.9

/** Heavy-ball momentum as `torch.optim.SGD(momentum=0.9)`: v ← μ v + g;  p ← p − η v. */
export const make = (rate: number): Optimizer => ({
  name: "sgd",
  rate,
  initial: (shape) => ({ velocity: NdArray.full(shape, 0) }),
  update: (p, g, { velocity }) => {
    const v = velocity!.mul(μ).add(g)
    return { parameter: p.sub(v.mul(rate)), slots: { velocity: v } }
  },
  withRate: make
})
