/**
 * Normalisation of each unit, or channel, over the batch.
 */
import { count, show } from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import type { Keeping, Parameter, Theta } from "./Block.ts"

/** Keeps the quotient finite, as in PyTorch. */
const ε = 1e-5

/**
 * y = w (z − μ) / √(σ² + 10⁻⁵) + b, with w and b: [units], for z: [batch, units] or [batch, units, …] (Ioffe & Szegedy 2015). In a training step μ
 * and σ² are the batch's own, over all axes but the units'; in the free run they are the running statistics `mean` and `variance`, which each step
 * moves a tenth of the way towards the batch's, as PyTorch does.
 *
 * ```ts
 * import { Circuit } from "@rai/core"
 *
 * const circuit = Circuit.sequence(Circuit.linear(2, 8), Circuit.batchNorm(8), Circuit.relu, Circuit.linear(8, 1))
 * Object.keys(Circuit.parameters(circuit)).slice(2, 6) // => ["1.weight", "1.bias", "1.mean", "1.variance"]
 * ```
 */
export const batchNorm = (units: number): Keeping => {
  const moments = (z: Tensor): { readonly n: number; readonly mean: Tensor; readonly variance: Tensor } => {
    fits(units, z)
    const axes = z.shape.map((_, axis) => axis).filter((axis) => axis !== 1)
    const n = count(axes.map((axis) => z.shape[axis]!)).known
    if (n < 2) {
      const expected = "more than one number of each unit"
      const advice = "take batches of two examples or more"
      throw new ShapeMismatch({ operation: "batch-norm", expected, came: show(z.shape), advice })
    }
    const mean = z.sum(axes).mul(1 / n)
    const squares = z.sub(mean).square().sum(axes)
    return { n, mean, variance: squares.mul(1 / n) }
  }
  return {
    _tag: "Block",
    kind: "batch-norm",
    settings: { units },
    parameters: {
      weight: of(units, "scale", 1),
      bias: of(units, "bias", 0),
      mean: of(units, "statistic", 0),
      variance: of(units, "statistic", 1)
    },
    apply: (z, θ) => {
      fits(units, z)
      return normalised(z, alongUnits(z, θ.mean!), alongUnits(z, θ.variance!), θ)
    },
    training: {
      apply: (z, θ) => {
        const { mean, variance } = moments(z)
        return normalised(z, mean, variance, θ)
      },
      statistics: (z) => {
        const { mean, n, variance } = moments(z)
        return { mean: mean.reshape([units]), variance: variance.mul(n / (n - 1)).reshape([units]) }
      }
    }
  }
}

const of = (units: number, role: Parameter["role"], initial: number): Parameter => ({
  shape: [units],
  role,
  fanIn: 1,
  fanOut: 1,
  initial
})

const fits = (units: number, { shape }: Tensor): void => {
  if (shape.length >= 2 && shape[1] === units) return
  throw new ShapeMismatch({ operation: "batch-norm", expected: `[batch, ${units}, …]`, came: show(shape) })
}

/** [units] → [1, units, 1, …] */
const alongUnits = (z: Tensor, v: Tensor): Tensor => v.reshape(z.shape.map((_, axis) => (axis === 1 ? v.shape[0]! : 1)))

/** A single factor per unit, which is known beforehand where the statistics are. */
const normalised = (z: Tensor, mean: Tensor, variance: Tensor, { bias, weight }: Theta): Tensor =>
  z
    .sub(mean)
    .mul(alongUnits(z, weight!).div(variance.add(ε).sqrt()))
    .add(alongUnits(z, bias!))
