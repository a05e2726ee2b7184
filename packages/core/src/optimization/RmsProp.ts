/**
 * Gradients divided by a running root mean square.
 */
import * as NdArray from "../tensor/NdArray.ts"
import * as Optimizer from "./Optimizer.ts"

/** The settings and their defaults, as in PyTorch. */
export const defaults = { smoothing: 0.99, epsilon: 1e-8, momentum: 0, decay: 0 }

/**
 * RMSprop (Tieleman & Hinton 2012) as `torch.optim.RMSprop`, with α = `smoothing`:
 *
 *     v ← α v + (1 − α) g²;  b ← μ b + g/(√v + ε);  p ← p − η b
 */
export const make = (rate: number, settings: Partial<typeof defaults> = {}): Optimizer.Optimizer => {
  const { decay, epsilon, momentum: μ, smoothing: α } = { ...defaults, ...settings }
  return {
    name: "rmsprop",
    elementwise: true,
    rate,
    settings: Optimizer.changed(defaults, settings),
    initial: (shape) => ({
      square: NdArray.full(shape, 0),
      ...(μ === 0 ? {} : { momentum: NdArray.full(shape, 0) })
    }),
    update: (p, gradient, { momentum, square }, η) => {
      const g = decay === 0 ? gradient : gradient.add(p.mul(decay))
      const v = square!.mul(α).add(g.square().mul(1 - α))
      const scaled = g.div(v.sqrt().add(epsilon))
      if (momentum === undefined) return { parameter: p.sub(scaled.mul(η)), slots: { square: v } }
      const b = momentum.mul(μ).add(scaled)
      return { parameter: p.sub(b.mul(η)), slots: { square: v, momentum: b } }
    }
  }
}
