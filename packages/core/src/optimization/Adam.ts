/**
 * Adaptive moment estimation, with weight decay coupled (Adam) or decoupled (AdamW).
 */
import * as NdArray from "../tensor/NdArray.ts"
import { constant } from "../tensor/Tensor.ts"
import * as Optimizer from "./Optimizer.ts"

/** The settings and their defaults, as in PyTorch. */
export const defaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0 }

/** Defaults of `decoupled`. */
export const decoupledDefaults = { ...defaults, decay: 0.01 }

type Settings = Partial<typeof defaults>

/**
 * Adam (Kingma & Ba 2015), as `torch.optim.Adam`; with weight decay λ the gradient is g + λ p:
 *
 *     m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  p ← p − η · m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε)
 */
export const make = (rate: number, settings: Settings = {}): Optimizer.Optimizer => {
  const { beta1, beta2, decay, epsilon } = { ...defaults, ...settings }
  return {
    name: "adam",
    elementwise: true,
    rate,
    settings: Optimizer.changed(defaults, settings),
    initial: (shape) => ({ m: NdArray.full(shape, 0), v: NdArray.full(shape, 0), t: NdArray.full([], 0) }),
    update: (p, g, slots, η) => {
      const decayed = decay === 0 ? g : g.add(p.mul(decay))
      const t = slots.t!.add(1)
      const m = slots.m!.mul(beta1).add(decayed.mul(1 - beta1))
      const v = slots.v!.mul(beta2).add(decayed.square().mul(1 - beta2))
      // βᵗ = e^(t ln β)
      const unbiased = (β: number) => constant(1).sub(t.mul(Math.log(β)).exp())
      const step = m.div(unbiased(beta1)).div(v.div(unbiased(beta2)).sqrt().add(epsilon))
      return { parameter: p.sub(step.mul(η)), slots: { m, v, t } }
    }
  }
}

/** AdamW (Loshchilov & Hutter 2019), as `torch.optim.AdamW`: first p ← p − η λ p, then Adam's step without weight decay. */
export const decoupled = (rate: number, settings: Settings = {}): Optimizer.Optimizer => {
  const { decay, ...others } = { ...decoupledDefaults, ...settings }
  const adam = make(rate, others)
  return {
    ...adam,
    name: "adamw",
    elementwise: true,
    settings: Optimizer.changed(decoupledDefaults, settings),
    update: (p, g, slots, η) => adam.update(p.sub(p.mul(η.mul(decay))), g, slots, η)
  }
}
