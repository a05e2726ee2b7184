/**
 * Resilient backpropagation: only signs matter, each number has a step size of its own.
 */
import * as NdArray from "../tensor/NdArray.ts"
import type { Optimizer } from "./Optimizer.ts"

/**
 * Rprop⁻ with gradients zeroed on a change of sign, as `torch.optim.Rprop` (Riedmiller & Braun 1993): with a = sign(g)·s,
 *
 *     Δ ← clip(Δ · {1.2 if a > 0, 0.5 if a < 0, 1 else}, 1e-6, 50);  s ← sign(g) unless a < 0, then 0;  p ← p − s Δ
 *
 * `rate` is the first step Δ; s is the sign remembered from the step before.
 */
export const make = (rate: number): Optimizer => ({
  name: "rprop",
  rate,
  initial: (shape) => ({ step: NdArray.full(shape, rate), sign: NdArray.full(shape, 0) }),
  update: (p, g, { sign: before, step }) => {
    const now = g.sign()
    const a = now.mul(before!)
    // The factor through the three points (−1, 0.5), (0, 1), (1, 1.2) is 1 + 0.35 a − 0.15 a², and 1 + a leaves 0 where the sign changed.
    const factor = a.mul(a.mul(-0.15).add(0.35)).add(1)
    const Δ = step!.mul(factor).clip(1e-6, 50)
    const s = now.mul(a.add(1).minimum(1))
    return { parameter: p.sub(s.mul(Δ)), slots: { step: Δ, sign: s } }
  },
  withRate: make
})
