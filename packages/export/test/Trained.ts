/**
 * Circuits with seeded random parameters, as if trained.
 */
import { Circuit, FreeRun, NdArray, Pseudorandom, type Trained } from "@rai/core"
import { Effect } from "effect"

interface Settings {
  readonly task?: Trained.Trained["task"]
  readonly seed?: number
  readonly gain?: number
}

/** Makes a perceptron as `of` does. */
export const make = (
  widths: ReadonlyArray<number>,
  options: Settings & { readonly activation?: Circuit.Activation; readonly residual?: boolean } = {}
): Trained.Trained => {
  const { activation = "sigmoid", residual = false } = options
  return of(Circuit.perceptron(widths, { activation, residual }), options)
}

/** Gives a circuit weights of variance gain² / inputs and biases up to 0.1. */
export const of = (circuit: Circuit.Circuit, options: Settings = {}): Trained.Trained => {
  const { gain = 1, seed = 0, task = "binary" } = options
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
  const { inputs, outputs } = Effect.runSync(FreeRun.widths(circuit))
  return {
    circuit,
    parameters,
    task,
    inputNames: Array.from({ length: inputs }, (_, i) => `x${i + 1}`),
    classNames:
      task === "regression" ? undefined : Array.from({ length: Math.max(2, outputs) }, (_, i) => `class ${i}`),
    origin: { plan: "backpropagate:1:rprop=0.001", seed, engine: "reference", version: "0.1.0" }
  }
}
