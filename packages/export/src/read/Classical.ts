/**
 * Operators of the domain ai.onnx.ml, which scikit-learn's models are exported to: scaling, linear models and the transforms of a classifier's
 * scores.
 */
import { NdArray, type Tensor } from "@rai/core"
import type { Call, Result, Row } from "./Call.ts"
import { Refused } from "./Refused.ts"

type T = Tensor.Tensor

/** An attribute of one number, or of one for each of `n` columns, as [1, n]. */
const each = (call: Call, name: string, n: number): T => {
  const numbers = call.reals(name) ?? []
  const [only] = numbers
  if (numbers.length !== n && numbers.length !== 1) {
    throw new Refused(`${name} holds ${numbers.length} numbers for ${n} columns`, true)
  }
  return call.graph.embed(NdArray.make([1, n], numbers.length === n ? numbers : Array<number>(n).fill(only!)))
}

/** (x − offset) · scale */
const scaler: Row = (call) => {
  const n = call.length(1)
  return call
    .float()
    .sub(each(call, "offset", n))
    .mul(each(call, "scale", n))
}

/** x Cᵀ + b, with coefficients C: [outputs, inputs], one row per output; C and b are trained like any other weights. */
const scores = (call: Call, outputs: number): T => {
  const inputs = call.length(1)
  const [coefficients = [], intercepts = []] = [call.reals("coefficients"), call.reals("intercepts")]
  if (coefficients.length !== outputs * inputs || ![0, outputs].includes(intercepts.length)) {
    const came = `${coefficients.length} coefficients and ${intercepts.length} intercepts`
    throw new Refused(`${came} do not make ${outputs} outputs of ${inputs} columns`)
  }
  const C = call.graph.trained("coefficients", NdArray.make([outputs, inputs], coefficients))
  const y = call.float().matMul(C, { transposeB: true })
  return intercepts.length === 0 ? y : y.add(call.graph.trained("intercepts", NdArray.make([outputs], intercepts)))
}

/** Applies the node's `post_transform` to the scores. */
const transformed = (call: Call, y: T): T => {
  const transform = call.text("post_transform", "NONE")
  if (transform === "NONE") return y
  if (transform === "LOGISTIC") return y.sigmoid()
  if (transform === "SOFTMAX") return y.softmax([1])
  throw new Refused(`its post_transform is ${transform}`)
}

const linearRegressor: Row = (call) => transformed(call, scores(call, call.int("targets", 1)))

/** The label of the largest score, and the scores. */
const linearClassifier: Row = (call) => {
  const labels = call.ints("classlabels_ints") ?? []
  const classes = labels.length > 0 ? labels.length : (call.attributes.get("classlabels_strings")?.strings.length ?? 0)
  const y = scores(call, classes)
  const [label = ""] = call.outputs
  return [label === "" ? y : labelled(y, labels), transformed(call, y)]
}

const labelled = (y: T, labels: ReadonlyArray<number>): Result => {
  if (labels.length === 0) throw new Refused("its labels are text")
  if (labels.some((label, i) => label !== i)) throw new Refused("its labels are not 0, 1, …")
  return { tensor: y.argMax(1).float().reshape([y.shape[0]!]), kind: "int" }
}

/** Scales each row to norm 1; a row of zeros stays zero. */
const normalizer: Row = (call) => {
  const [x, norm] = [call.float(), call.text("norm", "MAX")]
  if (norm !== "L1" && norm !== "L2") throw new Refused(`its norm is ${norm}`)
  const length = norm === "L1" ? x.abs().sum([1]) : x.square().sum([1]).sqrt()
  return x.div(length.add(length.equal(0).float()))
}

/** The models that are maps; their parameters are attributes. */
export const linear: { readonly rows: Readonly<Record<string, Row>> } = {
  rows: { "ai.onnx.ml.LinearClassifier": linearClassifier, "ai.onnx.ml.LinearRegressor": linearRegressor }
}

export const rows: Readonly<Record<string, Row>> = {
  "ai.onnx.ml.Scaler": scaler,
  "ai.onnx.ml.Normalizer": normalizer,
  // ZipMap turns an example's numbers into a map from labels to them; a circuit answers the numbers.
  "ai.onnx.ml.ZipMap": (call) => call.float()
}
