/**
 * The random numbers that a circuit takes in one training step, as arrays named like parameters: `1.*.2.uniform`.
 */
import * as Circuit from "../circuit/Circuit.ts"
import { input, type Tensor } from "../tensor/Tensor.ts"
import * as Cut from "./Cut.ts"
import { evaluate } from "./Evaluation.ts"

/** Evaluates a circuit on x: [batch, inputs] as a training step does, if any of its blocks behaves differently there. Throws `ShapeMismatch`. */
export const step = (circuit: Circuit.Circuit, x: ReadonlyArray<number>): void => {
  if (Circuit.leaves(circuit).every(({ block }) => block.training === undefined)) return
  const shapesOf = { ...Circuit.signature(circuit), ...shapes(circuit, x) }
  evaluate(circuit, (name) => input(name, shapesOf[name]!), input("x", x), {
    ...Cut.none,
    training: { random: true, onStatistic: () => undefined }
  })
}

/**
 * The shapes of these numbers for x: [batch, inputs]: the input shape of each block that draws, with the axes of its repeats in front. Throws
 * `ShapeMismatch`.
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
