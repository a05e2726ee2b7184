/**
 * Relaxed Activation Identity (RAI) from scratch, on plain tensors: `node apps/examples/src/rai-from-scratch.ts`.
 *
 * A circuit of T stages, ẑ_{t+1} = f_t(z_t, θ_t), here linear maps between sigmoids: z_0 = x, a_0 = x, a_t = σ(z_t), and
 *
 *     ẑ_{t+1} = a_t W_t + b_t,  t = 0 … T−1;  ẑ_T is the logit of y
 *
 * Ordinarily z_t = ẑ_t: gradients pass through every later stage, and die on the way. RAI makes each hidden z_t, for each example,
 * a trainable auxiliary, and trains Θ and Z together, first order, on the relaxed objective
 *
 *     L = L_y(y, ẑ_T) + λ Σ_{t=1…T−1} mean((z_t − ẑ_t)²),  λ = 1                                                  (eq. 4)
 */
import "@tensorflow/tfjs-backend-cpu"
import * as tf from "@tensorflow/tfjs-core"

/** A trained array with what Rprop remembers of each number in it: its step size Δ, and the sign s of its last gradient. */
export type Trained = { value: tf.Tensor; Δ: tf.Tensor; s: tf.Tensor }

/** Θ = (W_t, b_t) of each stage, t = 0 … T−1, and the auxiliaries Z = (z_1 … z_{T−1}), each [examples, units]. */
export type State = { W: Array<Trained>; b: Array<Trained>; z: Array<Trained> }

const trained = (value: tf.Tensor, rate: number): Trained => ({ value, Δ: tf.fill(value.shape, rate), s: tf.zerosLike(value) })

/** Rprop: only signs matter. A step grows by 1.2 while its gradient keeps its sign, halves where that turns, and then rests. */
const rprop = ({ value, Δ: before, s: last }: Trained, gradient: tf.Tensor): Trained => {
  const now = tf.sign(gradient)
  const agreement = tf.mul(now, last)
  const factor = tf.where(tf.greater(agreement, 0), 1.2, tf.where(tf.less(agreement, 0), 0.5, tf.onesLike(now)))
  const Δ = tf.clipByValue(tf.mul(before, factor), 1e-6, 50)
  const s = tf.where(tf.less(agreement, 0), 0, now)
  return { value: tf.sub(value, tf.mul(s, Δ)), Δ, s }
}

/** The free run, z_t = ẑ_t, for which there are no auxiliaries: ẑ_1 … ẑ_T. Only it shows what training was worth. */
const freeRun = (W: Array<tf.Tensor>, b: Array<tf.Tensor>, x: tf.Tensor): Array<tf.Tensor> => {
  const ẑ: Array<tf.Tensor> = []
  W.forEach((W, t) => ẑ.push(tf.add(tf.matMul(t === 0 ? x : tf.sigmoid(ẑ[t - 1]!), W), b[t]!)))
  return ẑ
}

/** The state before the first step: every auxiliary begins at its prediction in the free run, so every residual z − ẑ is zero. */
export const start = (W: Array<tf.Tensor>, b: Array<tf.Tensor>, x: tf.Tensor, rate: number): State => {
  const [w, c, z] = [W, b, freeRun(W, b, x).slice(0, -1)].map((arrays) => arrays.map((array) => trained(array, rate)))
  return { W: w!, b: c!, z: z! }
}

/** One step of training on all examples, x: [n, inputs], y: [n, 1]; every gradient is local. */
export const step = (state: State, x: tf.Tensor, y: tf.Tensor): State => {
  const T = state.W.length
  const z = [x, ...state.z.map(({ value }) => value)]
  const a = z.map((z, t) => (t === 0 ? x : tf.sigmoid(z)))
  // The predictions: each needs its own z_t alone, so no stage waits for another. (ẑ_0 = x stands here to keep indices as on paper.)
  const ẑ = [x, ...a.map((a, t) => tf.add(tf.matMul(a, state.W[t]!.value), state.b[t]!.value))]
  // g_t = ∂L/∂ẑ_t = 2 (ẑ_t − z_t) / size for a hidden prediction, (σ(ẑ_T) − y) / n for the output (cross-entropy on a logit).
  const g = ẑ.map((ẑ, t) => (t < T ? tf.mul(tf.sub(ẑ, z[t]!), 2 / ẑ.size) : tf.div(tf.sub(tf.sigmoid(ẑ), y), y.size)))
  return {
    // ∂L/∂W_t = a_tᵀ g_{t+1}  and  ∂L/∂b_t = Σ_examples g_{t+1}: of stage t alone.
    W: state.W.map((W, t) => rprop(W, tf.matMul(a[t]!, g[t + 1]!, true))),
    b: state.b.map((b, t) => rprop(b, tf.sum(g[t + 1]!, 0))),
    // ∂L/∂z_t = (g_{t+1} W_tᵀ) ⊙ a_t (1 − a_t) − g_t: of the stage behind the cut and of the one before it, of no other.
    z: state.z.map((auxiliary, i) => {
      const t = i + 1
      const through = tf.matMul(g[t + 1]!, state.W[t]!.value, false, true)
      return rprop(auxiliary, tf.sub(tf.mul(through, tf.mul(a[t]!, tf.sub(1, a[t]!))), g[t]!))
    })
  }
}
