/**
 * Resilient backpropagation: only the signs of gradients matter, and each number has a step size of its own.
 */
import * as NdArray from "../tensor/NdArray.ts"
import * as Optimizer from "./Optimizer.ts"

/** The settings and their defaults: the smallest and the largest step, `step_sizes` of PyTorch. */
export const defaults = { smallest: 1e-6, largest: 50 }

/**
 * Rprop⁻ with gradients zeroed on a change of sign, as `torch.optim.Rprop` (Riedmiller & Braun 1993): with a = sign(g)·s,
 *
 *     Δ ← clip(Δ · {1.2 if a > 0, 0.5 if a < 0, 1 else}, smallest, largest);  s ← sign(g) unless a < 0, then 0;  p ← p − s Δ
 *
 * `rate` is the first step Δ; s is the sign remembered from the step before. Later rates only scale the largest step, and only if that is not the
 * default 50.
 */
export const make = (rate: number, settings: Partial<typeof defaults> = {}): Optimizer.Optimizer => ({
  name: "rprop",
  elementwise: true,
  rate,
  settings: Optimizer.changed(defaults, settings),
  initial: (shape, first) => ({
    // float64, so that an engine that computes in it starts at exactly this rate.
    step: { shape, data: new Float64Array(NdArray.size(shape)).fill(first) },
    sign: NdArray.full(shape, 0)
  }),
  update: (p, g, { sign: before, step }, rateNow) => {
    const { largest, smallest } = { ...defaults, ...settings }
    const now = g.sign()
    const a = now.mul(before!)
    // 1.2 at 1, 1 at 0, 0.5 at −1
    const factor = a.add(1).clip(0.5, 1.2)
    // A largest step set by the user follows the rate as a curve or a careful phase lowers it.
    const grown = step!.mul(factor)
    const Δ =
      largest === defaults.largest
        ? grown.clip(smallest, largest)
        : grown.minimum(rateNow.mul(largest / rate)).maximum(smallest)
    // ELU's gradient computes just this in one operation: sign(g), times a + 1 where a < 0.
    const s = now.eluGradient(a)
    return { parameter: p.sub(s.mul(Δ)), slots: { step: Δ, sign: s } }
  }
})
