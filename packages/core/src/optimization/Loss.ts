/**
 * Output losses L_y, each a mean over the examples.
 */
import type { Tensor } from "../tensor/Tensor.ts"

/** L_y(prediction, target): [batch, outputs] twice → []. */
export type Loss = (prediction: Tensor, target: Tensor) => Tensor

/** −log p(y) of a Bernoulli with logit o, mean(softplus(o) − y o); stable for large |o|. */
export const binaryCrossEntropy: Loss = (o, y) => o.softplus().sub(y.mul(o)).mean()

/** −Σ_k y_k log softmax(o)_k, the mean over the examples; y one-hot. The largest logit is taken off first, so that nothing overflows. */
export const softmaxCrossEntropy: Loss = (o, y) => {
  const shifted = o.sub(o.max([1]))
  const logSum = shifted.exp().sum([1]).log()
  return logSum.sub(shifted.mul(y).sum([1])).mean()
}

/** mean((o − y)²) */
export const meanSquaredError: Loss = (o, y) => o.sub(y).square().mean()

/** The loss that a task is trained on. */
export const forTask = { binary: binaryCrossEntropy, classes: softmaxCrossEntropy, regression: meanSquaredError }

/** How many examples get their class right: by the sign of the logit, or by the largest logit. */
export const correct: Loss = (o, y) => {
  const right = o.shape[1] === 1 ? o.greater(0).float().equal(y.greater(0.5).float()) : o.argMax(1).equal(y.argMax(1))
  return right.float().total()
}
