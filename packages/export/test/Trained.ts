/**
 * Circuits with seeded random parameters, as if trained.
 */
import { Circuit, NdArray, Pseudorandom, type Trained } from "@rai/core"

/** Weights of variance gain² / inputs, biases up to 0.1. */
export const make = (
  widths: ReadonlyArray<number>,
  options: {
    readonly activation?: Circuit.Activation
    readonly residual?: boolean
    readonly task?: Trained.Trained["task"]
    readonly seed?: number
    readonly gain?: number
  } = {}
): Trained.Trained => {
  const { activation = "sigmoid", gain = 1, residual = false, seed = 0, task = "binary" } = options
  const circuit = Circuit.perceptron(widths, { activation, residual })
  const { uniform } = Pseudorandom.make(seed)
  const draw = ({ fanIn, role }: { readonly fanIn: number; readonly role: string }) => {
    const bound = role === "bias" ? 0.1 : gain * Math.sqrt(3 / fanIn)
    return uniform(-bound, bound)
  }
  const parameters = Object.fromEntries(
    Object.entries(Circuit.parameters(circuit)).map(([name, parameter]) => {
      const numbers = Array.from({ length: NdArray.size(parameter.shape) }, () => draw(parameter))
      return [name, NdArray.make(parameter.shape, numbers)]
    })
  )
  const outputs = widths.at(-1)!
  return {
    circuit,
    parameters,
    task,
    inputNames: Array.from({ length: widths[0]! }, (_, i) => `x${i + 1}`),
    classNames:
      task === "regression" ? undefined : Array.from({ length: Math.max(2, outputs) }, (_, i) => `class ${i}`),
    origin: { plan: "backpropagate:1:rprop=0.001", seed, engine: "reference", version: "0.1.0" }
  }
}
