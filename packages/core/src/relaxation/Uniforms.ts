/**
 * The random numbers that a circuit takes in one step of training, as arrays by name beside the parameters: `1.*.2.uniform`.
 */
import * as Circuit from "../circuit/Circuit.ts"
import { input, type Tensor } from "../tensor/Tensor.ts"
import * as Cut from "./Cut.ts"
import { evaluate } from "./Evaluation.ts"

/** Evaluates a circuit as a step on x: [batch, inputs] does, where it has blocks that a step sees otherwise. Throws `ShapeMismatch`. */
export const step = (circuit: Circuit.Circuit, x: ReadonlyArray<number>): void => {
  if (Circuit.leaves(circuit).every(({ block }) => block.training === undefined)) return
  const shapesOf = { ...Circuit.signature(circuit), ...shapes(circuit, x) }
  evaluate(circuit, (name) => input(name, shapesOf[name]!), input("x", x), {
    ...Cut.none,
    training: { random: true, onStatistic: () => undefined }
  })
}

/**
 * Their shapes for x: [batch, inputs]: what goes into each block that draws, those of repeated blocks with the leading axes of their repeats.
 * Throws `ShapeMismatch`.
 */
export const shapes = (
  circuit: Circuit.Circuit,
  x: ReadonlyArray<number>
): Readonly<Record<string, ReadonlyArray<number>>> => {
  const drawing = Circuit.leaves(circuit).filter(({ block }) => block.training?.random === true)
  if (drawing.length === 0) return {}
  const inputs = new Map<string, Tensor>()
  const parameters = Circuit.signature(circuit)
  evaluate(circuit, (name) => input(name, parameters[name]!), input("x", x), {
    ...Cut.none,
    onInput: (path, z) => inputs.set(path, z)
  })
  return Object.fromEntries(
    drawing.map(({ path, stack }) => {
      const { shape } = inputs.get(path.replaceAll("*", "0"))!
      return [Circuit.join(path, "uniform"), [...stack, ...(shape as ReadonlyArray<number>)]]
    })
  )
}
