/**
 * Operators of ai.onnx.ml, in which scikit-learn's models are written: scaling, linear models, and what is done to a classifier's scores.
 */
import { NdArray, type Tensor } from "@rai/core"
import type { Call, Result, Row } from "./Call.ts"
import { Refused } from "./Refused.ts"

type T = Tensor.Tensor

/** One number, or one for each of `n` columns. */
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

/** x Cᵀ + b, with the coefficients C: [outputs, inputs] a row for each output, which are trained as other weights are. */
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

/** What is made of the scores in the end. */
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

/** Each row as long as 1; a row of zeros stays one. */
const normalizer: Row = (call) => {
  const [x, norm] = [call.float(), call.text("norm", "MAX")]
  if (norm !== "L1" && norm !== "L2") throw new Refused(`its norm is ${norm}`)
  const length = norm === "L1" ? x.abs().sum([1]) : x.square().sum([1]).sqrt()
  return x.div(length.add(length.equal(0).float()))
}

export const rows: Readonly<Record<string, Row>> = {
  "ai.onnx.ml.Scaler": scaler,
  "ai.onnx.ml.LinearClassifier": linearClassifier,
  "ai.onnx.ml.LinearRegressor": linearRegressor,
  "ai.onnx.ml.Normalizer": normalizer,
  // From an example's numbers to a map of them: what a circuit answers are the numbers.
  "ai.onnx.ml.ZipMap": (call) => call.float()
}
