/**
 * The activation functions, as PyTorch defines them.
 */
import { formula, type Keeping } from "./Block.ts"

/** σ(x) = 1 / (1 + e^−x) */
export const sigmoid: Keeping = formula("sigmoid", (z) => z.sigmoid())

/** tanh x */
export const tanh: Keeping = formula("tanh", (z) => z.tanh())

/** max(x, 0) */
export const relu: Keeping = formula("relu", (z) => z.relu())

/** x */
export const identity: Keeping = formula("identity", (z) => z)

/** x where x > 0, else x / 100 */
export const leakyRelu: Keeping = formula("leaky-relu", (z) => z.leakyRelu(0.01))

/** x where x > 0, else eˣ − 1 */
export const elu: Keeping = formula("elu", (z) => z.elu())

/** The fixed point at which activations keep mean 0 and variance 1 (Klambauer et al. 2017). */
const [α, λ] = [1.6732632423543772, 1.0507009873554805]

/** λ x where x > 0, else λ α (eˣ − 1), with α ≈ 1.6733 and λ ≈ 1.0507 */
export const selu: Keeping = formula("selu", (z) => z.greater(0).where(z, z.elu().mul(α)).mul(λ))

/** x Φ(x) = x (1 + erf(x / √2)) / 2 */
export const gelu: Keeping = formula("gelu", (z) => z.mul(z.mul(Math.SQRT1_2).erf().add(1).mul(0.5)))

/** x σ(x) */
export const silu: Keeping = formula("silu", (z) => z.mul(z.sigmoid()))

/** ln(1 + eˣ) */
export const softplus: Keeping = formula("softplus", (z) => z.softplus())

/** x / (1 + |x|) */
export const softsign: Keeping = formula("softsign", (z) => z.div(z.abs().add(1)))

/** e^(x_i) / Σ_j e^(x_j) over the last axis */
export const softmax: Keeping = formula("softmax", (z) => z.softmax([z.shape.length - 1]))

/** The activation functions by the names that the option `activation` takes. */
export const activations = {
  sigmoid,
  tanh,
  relu,
  identity,
  "leaky-relu": leakyRelu,
  elu,
  selu,
  gelu,
  silu,
  softplus,
  softsign,
  softmax
}

/** Kinds for which f(x) − f(−x) is linear though f is not: together, two mirrored units pass a signal on unchanged. */
export const mirroring: ReadonlySet<string> = new Set([relu, leakyRelu, gelu, silu, softplus].map(({ kind }) => kind))

/** The name of an activation function. */
export type Activation = keyof typeof activations
