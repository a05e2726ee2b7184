/**
 * Stochastic gradient descent with momentum.
 */
import * as NdArray from "../tensor/NdArray.ts"
import * as Optimizer from "./Optimizer.ts"

/** The settings and their defaults; `nesterov` is 0 or 1. */
export const defaults = { momentum: 0.9, nesterov: 0, decay: 0 }

/**
 * Heavy-ball momentum as `torch.optim.SGD`: v ← μ v + g;  p ← p − η v, or p ← p − η (g + μ v) with Nesterov's; with weight decay λ the
 * gradient is g + λ p.
 */
export const make = (rate: number, settings: Partial<typeof defaults> = {}): Optimizer.Optimizer => {
  const { decay, momentum: μ, nesterov } = { ...defaults, ...settings }
  return {
    name: "sgd",
    elementwise: true,
    rate,
    settings: Optimizer.changed(defaults, settings),
    initial: (shape) => ({ velocity: NdArray.full(shape, 0) }),
    update: (p, gradient, { velocity }, η) => {
      const g = decay === 0 ? gradient : gradient.add(p.mul(decay))
      const v = velocity!.mul(μ).add(g)
      const step = nesterov === 0 ? v : g.add(v.mul(μ))
      return { parameter: p.sub(step.mul(η)), slots: { velocity: v } }
    }
  }
}
