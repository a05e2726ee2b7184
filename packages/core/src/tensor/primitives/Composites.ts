/**
 * Formulas of several primitives that an engine may run as one kernel: leaky ReLU and the derivatives of activation functions.
 */
import type { Primitive } from "../Primitive.ts"
import { mul } from "./Elementwise.ts"

const composite = (name: string, cost: number, definition: NonNullable<Primitive["definition"]>): Primitive => ({
  name,
  shape: mul.shape,
  derivative: () => [],
  cost,
  tolerance: 1e-6,
  definition
})

/** x where x > 0, else slope · x */
export const leakyRelu = composite("leakyRelu", 2, ([x], { slope }) => x!.greater(0).where(x!, x!.mul(slope as number)))

/** g · y (1 − y), with y = sigmoid(x) */
export const sigmoidGradient = composite("sigmoidGradient", 3, ([g, y]) => g!.mul(y!.mul(y!.neg().add(1))))

/** g · (1 − y²), with y = tanh(x) */
export const tanhGradient = composite("tanhGradient", 3, ([g, y]) => g!.mul(y!.square().neg().add(1)))

/** g where y > 0, else g (y + 1) = g eˣ, with y = elu(x) */
export const eluGradient = composite("eluGradient", 3, ([g, y]) => g!.mul(y!.minimum(0).add(1)))

/** g where y > 0, else 0, with y = relu(x); a NaN gradient does not pass where the unit is off. */
export const reluGradient = composite("reluGradient", 1, ([g, y]) => y!.greater(0).where(g!, g!.zerosLike()))
