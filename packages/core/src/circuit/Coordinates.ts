/**
 * Coordinates: a sigmoid circuit trained as the tanh circuit that it equals. Since σ(2u) = (1 + tanh u)/2, the map is exact both ways,
 * and activations centred on zero are far easier to relax.
 */
import type { Arrays } from "../engine/Engine.ts"
import type { NdArray } from "../tensor/NdArray.ts"
import * as Circuit from "./Circuit.ts"
import * as Wires from "./Wires.ts"

/** In which coordinates a circuit is trained. */
export type Coordinates = "plain" | "tanh"

/** Whether the linear maps can take the change up: each sigmoid reads only what they write, and what it writes only they read. */
export const available = (circuit: Circuit.Circuit): boolean => {
  const ends = [...Wires.make(circuit).values()]
  const wires = ends.flatMap(({ input, output }) => [input, output])
  const only = (kinds: ReadonlySet<string>, kind: string) => kinds.size === 1 && kinds.has(kind)
  return (
    // What is 0 in one of them is not in the other, and biases make up for that.
    !Circuit.leaves(circuit).some(
      ({ block }) => block.training?.random === true || (block.kind === "linear" && block.parameters.bias === undefined)
    ) &&
    wires.some(({ readers }) => readers.has("sigmoid")) &&
    wires.every(
      ({ readers, writers }) =>
        (!readers.has("sigmoid") || (only(readers, "sigmoid") && only(writers, "linear"))) &&
        (!writers.has("sigmoid") || (only(writers, "sigmoid") && only(readers, "linear")))
    )
  )
}

/** The circuit with tanh for each sigmoid. */
export const circuit = (original: Circuit.Circuit): Circuit.Circuit => {
  switch (original._tag) {
    case "Block":
      return original.kind === "sigmoid" ? Circuit.tanh : original
    case "Sequence":
      return Circuit.sequence(...original.children.map(circuit))
    case "Repeat":
      return Circuit.repeat(circuit(original.child), original.times)
    case "Residual":
      return Circuit.residual(circuit(original.child))
    case "Branch": {
      const [first, ...rest] = original.children.map(circuit)
      return Circuit.branch(first!, ...rest)
    }
  }
}

/** Plain parameters in tanh coordinates: W̃ = s_in s_out W, b̃ = s_out (b + ½ colsum W), each s ½ where a sigmoid is, else 1. */
export const toTanh = (original: Circuit.Circuit, parameters: Arrays): Arrays =>
  eachMap(original, parameters, (W, b, behind, before) => {
    const out = before ? 0.5 : 1
    if (behind) addColumnSums(W, b, 0.5)
    scale(W, out * (behind ? 0.5 : 1))
    scale(b, out)
  })

/** The way back: W = W̃ / (s_in s_out), b = b̃ / s_out − ½ colsum W. */
export const fromTanh = (original: Circuit.Circuit, parameters: Arrays): Arrays =>
  eachMap(original, parameters, (W, b, behind, before) => {
    const out = before ? 2 : 1
    scale(W, out * (behind ? 2 : 1))
    scale(b, out)
    if (behind) addColumnSums(W, b, -0.5)
  })

/** Calls `change` on the weight and bias of each linear map of a copy; `behind`, `before`: whether it reads, is read by, a sigmoid. */
const eachMap = (
  original: Circuit.Circuit,
  parameters: Arrays,
  change: (W: Float64Array, b: Float64Array, behind: boolean, before: boolean) => void
): Arrays => {
  const changed: Record<string, NdArray> = { ...parameters }
  const copy = (name: string): Float32Array => {
    const { data, shape } = changed[name]!
    if (changed[name] === parameters[name]) changed[name] = { shape, data: Float32Array.from(data) }
    return changed[name]!.data as Float32Array
  }
  const wires = Wires.make(original)
  for (const { block, leaf, path, turn } of Circuit.sites(original)) {
    if (!Circuit.isLinear(block)) continue
    const { input, output } = wires.get(path)!
    const weight = copy(Circuit.join(leaf, "weight"))
    const hasBias = block.parameters.bias !== undefined
    const bias = hasBias ? copy(Circuit.join(leaf, "bias")) : new Float32Array(0)
    const [inputs, n] = block.parameters.weight!.shape as readonly [number, number]
    const m = inputs * n
    const W = Float64Array.from(weight.subarray(turn * m, (turn + 1) * m))
    const b = Float64Array.from(hasBias ? bias.subarray(turn * n, (turn + 1) * n) : new Float32Array(n))
    change(W, b, input.writers.has("sigmoid"), output.readers.has("sigmoid"))
    weight.set(W, turn * m)
    if (hasBias) bias.set(b, turn * n)
  }
  return changed
}

const scale = (values: Float64Array, factor: number): void => {
  for (let i = 0; i < values.length; i++) values[i]! *= factor
}

/** b ← b + factor · colsum W, in place. */
const addColumnSums = (W: Float64Array, b: Float64Array, factor: number): void => {
  for (let i = 0; i < W.length; i++) b[i % b.length]! += factor * W[i]!
}
