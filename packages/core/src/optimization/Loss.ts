/**
 * Output losses L_y, each a mean over the examples, weighted where classes are; and the number of examples that a circuit gets right.
 */
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import { concat, constant, type Tensor } from "../tensor/Tensor.ts"

/** L_y(prediction, target): both [batch, outputs] → []. */
export type Loss = (prediction: Tensor, target: Tensor) => Tensor

/** −log p(y) of a Bernoulli with logit o, mean(softplus(o) − y o); stable for large |o|. */
export const binaryCrossEntropy: Loss = (o, y) => o.softplus().sub(y.mul(o)).mean()

/**
 * −Σ_k y_k log softmax(o)_k, averaged over the examples; y one-hot. The largest logit is subtracted first, so that nothing overflows. Throws
 * `ShapeMismatch` on a single logit, whose softmax is always 1.
 */
export const softmaxCrossEntropy: Loss = (o, y) => {
  classesOf("cross-entropy", o)
  const shifted = o.sub(o.max([1]))
  const logSum = shifted.exp().sum([1]).log()
  return logSum.sub(shifted.mul(y).sum([1])).mean()
}

/** The number of classes of logits [batch, classes], at least two. */
const classesOf = (operation: string, { shape }: Tensor): number => {
  const classes = Number(shape[1])
  if (classes >= 2) return classes
  const advice = "give one logit a class, or take Loss.binaryCrossEntropy"
  throw new ShapeMismatch({ operation, expected: "two logits or more", came: String(classes), advice })
}

/** Class weights and label smoothing. */
export interface ClassSettings {
  /** w_k: the weight of an example of class k; 1 each by default. */
  readonly weights?: ReadonlyArray<number>
  /** ε: the share of each target that is spread evenly over all classes; 0 by default. */
  readonly smoothing?: number
}

/**
 * −Σ_k w_k q_k log softmax(o)_k with q = (1 − ε) y + ε / K, divided by the sum of the examples' own w: PyTorch's CrossEntropyLoss with class weights
 * and label smoothing. Throws `ShapeMismatch` on a single logit, if the number of weights differs from that of classes, a weight is below 0, or ε is
 * not within 0 … 1.
 *
 * ```ts
 * import { Blobs, Circuit, Loss, Plan, ReferenceEngine, Training } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const loss = Loss.weightedCrossEntropy({ weights: [1, 1, 5], smoothing: 0.1 })
 * const program = Effect.gen(function*() {
 *   const data = yield* Blobs.make({ examples: 60, centers: 3 })
 *   const plan = Plan.backpropagate({ steps: 100, loss })
 *   return yield* Training.run(Circuit.perceptron([2, 8, 3], { activation: "tanh" }), data, { plan, seed: 0 })
 * })
 * const { measurement } = await Effect.runPromise(Effect.provide(program, ReferenceEngine.layer))
 * measurement.freeRunAccuracy! > 0.9 // => true
 * ```
 */
export const weightedCrossEntropy =
  ({ smoothing = 0, weights }: ClassSettings): Loss =>
  (o, y) => {
    const classes = classesOf("weighted cross-entropy", o)
    if (weights !== undefined && weights.length !== classes) {
      const [expected, came] = [`${classes} class weights`, `${weights.length}`]
      const advice = "give one weight for each class"
      throw new ShapeMismatch({ operation: "weighted cross-entropy", expected, came, advice })
    }
    if (weights?.some((w) => !(w >= 0 && Number.isFinite(w))) === true) {
      const [expected, advice] = ["class weights from 0", "give for instance one over each class's share"]
      throw new ShapeMismatch({ operation: "weighted cross-entropy", expected, came: weights.join(", "), advice })
    }
    if (!(smoothing >= 0 && smoothing <= 1)) {
      const expected = "a label smoothing from 0 to 1"
      const advice = "give for instance 0.1"
      throw new ShapeMismatch({ operation: "weighted cross-entropy", expected, came: String(smoothing), advice })
    }
    const w = row(weights ?? Array<number>(classes).fill(1))
    const q = y.mul(1 - smoothing).add(smoothing / classes)
    return o.logSoftmax([1]).mul(q).mul(w).total().neg().div(y.mul(w).total())
  }

/**
 * −mean(w y log σ(o) + (1 − y) log(1 − σ(o))): examples of class 1 count w times, as `pos_weight` of PyTorch's BCEWithLogitsLoss. Throws
 * `ShapeMismatch` where w is below 0.
 */
export const weightedBinaryCrossEntropy =
  (weight: number): Loss =>
  (o, y) => {
    if (!(weight >= 0 && Number.isFinite(weight))) {
      const [expected, came, advice] = ["a weight from 0", String(weight), "give for instance 2"]
      throw new ShapeMismatch({ operation: "weighted binary cross-entropy", expected, came, advice })
    }
    const ofClass1 = o.neg().softplus().mul(y).mul(weight)
    return ofClass1.add(o.softplus().mul(y.neg().add(1))).mean()
  }

const row = (numbers: ReadonlyArray<number>): Tensor =>
  concat(
    numbers.map((number) => constant(number).reshape([1, 1])),
    1
  )

/** mean |o − y| */
export const meanAbsoluteError: Loss = (o, y) => o.sub(y).abs().mean()

/**
 * mean of d²/2 where |d| ≤ δ, else δ (|d| − δ/2), with d = o − y (Huber 1964). Throws `ShapeMismatch` where δ is not above 0.
 *
 * ```ts
 * import { Loss, Plan } from "@rai/core"
 *
 * const plan = Plan.backpropagate({ steps: 400, loss: Loss.huber(0.5) })
 * Plan.print(plan) // => "backpropagate:400:rprop=0.001:loss=function"
 * ```
 */
export const huber =
  (δ = 1): Loss =>
  (o, y) => {
    if (!(δ > 0)) {
      const advice = "give for instance 1"
      throw new ShapeMismatch({ operation: "huber", expected: "a δ above 0", came: String(δ), advice })
    }
    const d = o.sub(y).abs()
    const near = d.minimum(δ)
    return near.mul(d.sub(near.mul(0.5))).mean()
  }

/** mean((o − y)²) */
export const meanSquaredError: Loss = (o, y) => o.sub(y).square().mean()

/** The loss that a task is trained on. */
export const forTask = { binary: binaryCrossEntropy, classes: softmaxCrossEntropy, regression: meanSquaredError }

/** Number of examples classified correctly: by the sign of the logit, or by the largest logit; none with a logit that is NaN. */
export const correct: Loss = (o, y) => {
  const right = o.shape[1] === 1 ? o.greater(0).float().equal(y.greater(0.5).float()) : o.argMax(1).equal(y.argMax(1))
  // Only NaN differs from itself; the least over an example's logits is 0 where one is lost.
  const known = o.equal(o).float().neg().max([1]).neg()
  return right.float().mul(known).total()
}
