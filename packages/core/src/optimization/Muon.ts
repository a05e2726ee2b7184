/**
 * The spectral rule: a matrix moves along the orthogonal matrix nearest to its momentum, so that it moves equally far in every direction.
 */
import * as NdArray from "../tensor/NdArray.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import * as Adam from "./Adam.ts"
import * as Optimizer from "./Optimizer.ts"

/** The settings and their defaults, as in PyTorch; `nesterov` is 0 or 1, `others` is the rate of Adam for biases and the output map. */
export const defaults = { momentum: 0.95, nesterov: 1, decay: 0.1, others: 1e-3 }

/**
 * Muon (Jordan et al. 2024) as `torch.optim.Muon`, for hidden matrices W: [inputs, outputs], each matrix of a stack by itself:
 *
 *     M ← μ M + (1 − μ) g;  u = (1 − μ) g + μ M with Nesterov's, else M;  W ← (1 − η λ) W − η √max(1, outputs/inputs) · O(u)
 *
 * O(u) = U Vᵀ for u = U S Vᵀ, by five Newton–Schulz iterations (`orthogonalised`). Biases and the output map follow Adam.
 */
export const make = (rate: number, settings: Partial<typeof defaults> = {}): Optimizer.Optimizer => {
  const { decay, momentum: μ, nesterov, others } = { ...defaults, ...settings }
  return {
    name: "muon",
    rate,
    settings: Optimizer.changed(defaults, settings),
    others: Adam.make(others),
    initial: (shape) => ({ momentum: NdArray.full(shape, 0) }),
    update: (W, g, { momentum }, η) => {
      const M = momentum!.mul(μ).add(g.mul(1 - μ))
      const u = nesterov === 0 ? M : g.mul(1 - μ).add(M.mul(μ))
      const [inputs, outputs] = W.shape.slice(-2) as ReadonlyArray<number>
      const step = orthogonalised(u).mul(η.mul(Math.sqrt(Math.max(1, outputs! / inputs!))))
      return { parameter: W.sub(W.mul(η.mul(decay))).sub(step), slots: { momentum: M } }
    }
  }
}

const [a, b, c] = [3.4445, -4.775, 2.0315]

/**
 * Brings singular values near 1 and keeps the vectors: X ← a X + (b A + c A²) X with A = X Xᵀ, five times from X = u/‖u‖: [.., m, n] → [.., m, n].
 * The values end up between about 0.7 and 1.2, which is all that the direction of a step needs.
 */
export const orthogonalised = (u: Tensor): Tensor => {
  const rank = u.shape.length
  const [rows, columns] = u.shape.slice(-2) as ReadonlyArray<number>
  const matrix = [rank - 2, rank - 1]
  // Scale by the largest entry first: squares of small numbers underflow in float32.
  const bounded = u.div(u.abs().max(matrix).add(1e-30))
  let X = bounded.div(bounded.square().sum(matrix).sqrt().add(1e-7))
  const wide = rows! <= columns!
  for (let i = 0; i < 5; i++) {
    const A = wide ? X.matMul(X, { transposeB: true }) : X.matMul(X, { transposeA: true })
    const B = A.mul(b).add(A.matMul(A).mul(c))
    X = X.mul(a).add(wide ? B.matMul(X) : X.matMul(B))
  }
  return X
}
