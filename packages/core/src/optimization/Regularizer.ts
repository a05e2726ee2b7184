/**
 * A penalty on large weights, added to the loss: ℓ₁ Σ|w| + ½ ℓ₂ Σw² over the weights, without biases.
 */
import type { Tensor } from "../tensor/Tensor.ts"
import { constant } from "../tensor/Tensor.ts"

/** The weights of both norms; the gradient of the second is ℓ₂ w, PyTorch's `weight_decay`. */
export interface Regularizer {
  readonly l1: number
  readonly l2: number
}

/** The penalty of all weights: []. */
export const penalty = ({ l1, l2 }: Regularizer, weights: ReadonlyArray<Tensor>): Tensor => {
  const parts = weights.flatMap((w) => [
    ...(l1 === 0 ? [] : [w.abs().total().mul(l1)]),
    ...(l2 === 0
      ? []
      : [
          w
            .square()
            .total()
            .mul(l2 / 2)
        ])
  ])
  return parts.length === 0 ? constant(0) : parts.reduce((a, b) => a.add(b))
}
