/**
 * Relaxed Activation Identity (RAI) from scratch, on plain tensors. Run it: `node apps/examples/src/rai-from-scratch.ts`
 *
 * A circuit of T stages, ẑ_{t+1} = f_t(z_t, θ_t): here ẑ_1 = x W_0 + b_0, then ẑ_{t+1} = σ(z_t) W_t + b_t; ẑ_T is y's logit.
 * Ordinarily z_t = ẑ_t: gradients pass through every later stage, and die on the way. RAI makes each hidden z_t, for each
 * example, a trainable auxiliary, and trains Θ and Z together, first order, on the relaxed objective
 *
 *     L = L_y(y, ẑ_T) + λ Σ_{t=1…T−1} mean((z_t − ẑ_t)²),   λ = 1                                               (eq. 4)
 */
import "@tensorflow/tfjs-backend-cpu"
import * as tf from "@tensorflow/tfjs-core"

/** A trained array with Rprop's state for each element: the step size Δ and the sign s of the last gradient. */
export type Trained = { value: tf.Tensor; Δ: tf.Tensor; s: tf.Tensor }

/** Θ = (W_t, b_t) for t = 0 … T−1, and the auxiliaries Z = (z_1 … z_{T−1}), z_t: [examples, units]. */
export type State = { W: Array<Trained>; b: Array<Trained>; z: Array<Trained> }

const values = (arrays: Array<Trained>) => arrays.map(({ value }) => value)
// The stage f_t.
const f = (t: number, z: tf.Tensor, W: Array<tf.Tensor>, b: Array<tf.Tensor>) =>
  tf.add(tf.matMul(t === 0 ? z : tf.sigmoid(z), W[t]!), b[t]!)

/** The free run, z_t = ẑ_t, without auxiliaries: ẑ_1 … ẑ_T. Only it shows how well training worked. */
const freeRun = (W: Array<tf.Tensor>, b: Array<tf.Tensor>, x: tf.Tensor) => {
  const ẑ = [x]
  for (const t of W.keys()) ẑ.push(f(t, ẑ[t]!, W, b))
  return ẑ.slice(1)
}

/** The state before the first step: each auxiliary starts at its prediction in the free run, so every residual z − ẑ is zero. */
export const start = (W: Array<tf.Tensor>, b: Array<tf.Tensor>, x: tf.Tensor, rate: number): State => {
  const trained = (value: tf.Tensor) => ({ value, Δ: tf.fill(value.shape, rate), s: tf.zerosLike(value) })
  return { W: W.map(trained), b: b.map(trained), z: freeRun(W, b, x).slice(0, -1).map(trained) }
}

/** Rprop: only signs matter. Δ grows by 1.2 while the gradient keeps its sign; where it flips, Δ halves and the element stays. */
const rprop = ({ value, Δ: before, s: last }: Trained, gradient: tf.Tensor): Trained => {
  const now = tf.sub(tf.step(gradient), tf.step(tf.neg(gradient))) // its sign; tf.sign of WebAssembly takes 1e-8 for 0
  const [kept, turned] = [tf.greater(tf.mul(now, last), 0), tf.less(tf.mul(now, last), 0)]
  const Δ = tf.clipByValue(tf.mul(before, tf.where(kept, 1.2, tf.where(turned, 0.5, tf.onesLike(now)))), 1e-6, 50)
  const s = tf.where(turned, tf.zerosLike(now), now)
  return { value: tf.sub(value, tf.mul(s, Δ)), Δ, s }
}

/** One step of training. x: [examples, inputs], y: [examples, 1]. Every gradient is local to one stage and its neighbour. */
export const step = (state: State, x: tf.Tensor, y: tf.Tensor): State => {
  const [W, b, z] = [values(state.W), values(state.b), [x, ...values(state.z)]] // z_0 = x
  const a = z.map((z_t, t) => (t === 0 ? z_t : tf.sigmoid(z_t)))
  // The predictions. Each needs only its own z_t: no stage waits for another. (ẑ_0 = x keeps the paper's indices.)
  const ẑ = [x, ...z.map((z_t, t) => f(t, z_t, W, b))]
  // g_t = ∂L/∂ẑ_t: 2 (ẑ_t − z_t) / size for a hidden prediction, (σ(ẑ_T) − y) / n for the logit.
  const hidden = z.map((z_t, t) => tf.mul(tf.sub(ẑ[t]!, z_t), 2 / z_t.size))
  const g = [...hidden, tf.div(tf.sub(tf.sigmoid(ẑ.at(-1)!), y), y.size)]
  // ∂L/∂W_t = a_tᵀ g_{t+1} and ∂L/∂b_t = Σ_examples g_{t+1}: the input of stage t, and the error of its prediction.
  const gW = W.map((_, t) => tf.matMul(a[t]!, g[t + 1]!, true))
  const gb = b.map((_, t) => tf.sum(g[t + 1]!, 0))
  // ∂L/∂z_t = (g_{t+1} W_tᵀ) ⊙ σ'(z_t) − g_t, σ' = a_t (1 − a_t): from the stage that takes z_t, and the one that predicts it.
  const through = W.map((W_t, t) => tf.mul(tf.matMul(g[t + 1]!, W_t, false, true), tf.mul(a[t]!, tf.sub(1, a[t]!))))
  const gz = z.map((_, t) => tf.sub(through[t]!, g[t]!)).slice(1)
  const update = (arrays: Array<Trained>, gradients: Array<tf.Tensor>) => arrays.map((p, i) => rprop(p, gradients[i]!))
  return { W: update(state.W, gW), b: update(state.b, gb), z: update(state.z, gz) }
}

/** L of eq. 4, the free run's L_y and accuracy, and the relaxation gap between the two losses. */
export const measure = (state: State, x: tf.Tensor, y: tf.Tensor) => {
  const [W, b, z] = [values(state.W), values(state.b), values(state.z)]
  const ẑ = [x, ...z].map((z_t, t) => f(t, z_t, W, b))
  const L_h = z.map((z_t, i) => tf.mean(tf.square(tf.sub(z_t, ẑ[i]!))))
  const L_y = (o: tf.Tensor) => tf.mean(tf.sub(tf.softplus(o), tf.mul(y, o))) // cross-entropy on a logit
  const o = freeRun(W, b, x).at(-1)!
  const right = tf.mean(tf.cast(tf.equal(tf.greater(o, 0), tf.cast(y, "bool")), "float32"))
  const [relaxed, free, accuracy] = [tf.addN([L_y(ẑ.at(-1)!), ...L_h]), L_y(o), right].map((s) => s.dataSync()[0]!)
  return { relaxedLoss: relaxed!, freeRunLoss: free!, accuracy: accuracy!, relaxationGap: free! - relaxed! }
}

/** Two moons of 50 points each, and a start that preserves signal scale: W ~ N(0, 16/fan_in), as σ' ≤ ¼; b centres each σ. */
export const problem = (widths: Array<number>, seed: number) => {
  const normal = (m: number, n: number, std: number, t: number) => tf.randomNormal([m, n], 0, std, "float32", seed + t)
  const φ = tf.linspace(0, Math.PI, 50)
  const moons = tf.stack([tf.cos(φ), tf.sin(φ), tf.sub(1, tf.cos(φ)), tf.sub(0.5, tf.sin(φ))], 1)
  const x = tf.add(tf.reshape(moons, [100, 2]), normal(100, 2, 0.1, 1))
  const W = widths.slice(1).map((n, t) => normal(widths[t]!, n, 4 / Math.sqrt(widths[t]!), t + 2))
  const b = W.map((W_t, t) => (t === 0 ? tf.squeeze(normal(1, widths[1]!, 4, 99)) : tf.mul(tf.sum(W_t, 0), -0.5)))
  return { W, b, x, y: tf.tile(tf.tensor2d([0, 1], [2, 1]), [50, 1]) }
}

if (import.meta.main) {
  tf.enableProdMode()
  const { W, b, x, y } = problem([2, 20, 20, 20, 20, 20, 1], 1)
  let state = start(W, b, x, 0.001)
  const report = () => Object.entries(tf.tidy(() => measure(state, x, y))).map(([k, v]) => `${k} ${v.toFixed(5)}`)
  for (let i = 0; i <= 300; i++) {
    if (i % 50 === 0) console.log(`step ${i}: ${report().join(", ")}`)
    const before = state
    state = tf.tidy(() => step(before, x, y))
    tf.dispose(before)
  }
}
