/**
 * The outputs of a model by meaning, such as a probability and a label beside the logit.
 */
import { NdArray, Primitives, Program, Tensor, type Trained } from "@rai/core"

type Primitive = Tensor.Tensor["primitive"]

/** softmax(o)_k = e^{o_k} / Σ_j e^{o_j} over the last axis, for which ONNX has an operator. */
export const softmax: Primitive = {
  ...Primitives.table.get("exp")!,
  name: "softmax",
  derivative: () => [],
  cost: (_, result) => 12 * NdArray.size(result),
  definition: ([o]) => o!.softmax([o!.shape.length - 1])
}

/**
 * The free run with outputs by their meaning: `logit` and `probability` [batch, 1] for a binary task, [batch, classes] for classes, with
 * `label` [batch, 1], the class's index: 1 where the probability is above ½, else the most probable one; `value` [batch, outputs] for regression.
 */
export const named = (freeRun: Program.Program, task: Trained.Trained["task"]): Program.Program => {
  const output = freeRun.outputs.output!
  switch (task) {
    case "binary": {
      const probability = output.sigmoid()
      const label = new Tensor.Tensor(Primitives.table.get("cast")!, [probability.greater(0.5)], { to: "int" })
      return Program.fromTensors(freeRun.inputs, { logit: output, probability, label })
    }
    case "classes": {
      const probability = new Tensor.Tensor(softmax, [output])
      return Program.fromTensors(freeRun.inputs, { logit: output, probability, label: probability.argMax(1) })
    }
    case "regression":
      return Program.fromTensors(freeRun.inputs, { value: output })
  }
}
