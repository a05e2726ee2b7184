/**
 * Adaptive moment estimation.
 */
import * as NdArray from "../tensor/NdArray.ts"
import { constant } from "../tensor/Tensor.ts"
import type { Optimizer } from "./Optimizer.ts"

const [β1, β2, ε] = [0.9, 0.999, 1e-8]

/**
 * Adam (Kingma & Ba 2015), as `torch.optim.Adam` with β = (0.9, 0.999), ε = 1e-8:
 *
 *     m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  p ← p − η · m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε)
 */
export const make = (rate: number): Optimizer => ({
  name: "adam",
  rate,
  initial: (shape) => ({ m: NdArray.full(shape, 0), v: NdArray.full(shape, 0), t: NdArray.full([], 0) }),
  update: (p, g, slots) => {
    const t = slots.t!.add(1)
    const m = slots.m!.mul(β1).add(g.mul(1 - β1))
    const v = slots.v!.mul(β2).add(g.square().mul(1 - β2))
    // βᵗ = e^(t ln β)
    const unbiased = (β: number) => constant(1).sub(t.mul(Math.log(β)).exp())
    const step = m.div(unbiased(β1)).div(v.div(unbiased(β2)).sqrt().add(ε))
    return { parameter: p.sub(step.mul(rate)), slots: { m, v, t } }
  },
  withRate: make
})
