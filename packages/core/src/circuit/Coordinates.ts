/**
 * Coordinates: a circuit trained as another, equal circuit whose linear maps absorb the difference. A sigmoid circuit is a tanh circuit, since σ(2u)
 * = (1 + tanh u)/2, and activations centred on zero are far easier to relax; likewise outputs in one unit can be rescaled to any other.
 */
import type { Arrays } from "../engine/Engine.ts"
import type { NdArray } from "../tensor/NdArray.ts"
import * as Circuit from "./Circuit.ts"
import * as Wires from "./Wires.ts"

/** The coordinates in which a circuit is trained. */
export type Coordinates = "plain" | "tanh"

/** Whether the linear maps can absorb the change: every sigmoid reads only their outputs, and its own output is read by nothing else. */
export const available = (circuit: Circuit.Circuit): boolean => {
  const ends = [...Wires.make(circuit).values()]
  const wires = ends.flatMap(({ input, output }) => [input, output])
  const only = (kinds: ReadonlySet<string>, kind: string) => kinds.size === 1 && kinds.has(kind)
  return (
    // Dropout zeroes different values in the two, and absorbing the shift takes biases.
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

/** The circuit with every sigmoid replaced by tanh. */
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

/** Converts plain parameters to tanh coordinates: W̃ = s_in s_out W, b̃ = s_out (b + ½ colsum W), with s = ½ at a sigmoid, else 1. */
export const toTanh = (original: Circuit.Circuit, parameters: Arrays): Arrays =>
  eachMap(original, parameters, (W, b, { input, output }) => {
    const behind = input.writers.has("sigmoid")
    const out = output.readers.has("sigmoid") ? 0.5 : 1
    if (behind) addColumnSums(W, b, 0.5)
    scale(W, out * (behind ? 0.5 : 1))
    scale(b, out)
  })

/** The inverse: W = W̃ / (s_in s_out), b = b̃ / s_out − ½ colsum W. */
export const fromTanh = (original: Circuit.Circuit, parameters: Arrays): Arrays =>
  eachMap(original, parameters, (W, b, { input, output }) => {
    const behind = input.writers.has("sigmoid")
    const out = output.readers.has("sigmoid") ? 2 : 1
    scale(W, out * (behind ? 2 : 1))
    scale(b, out)
    if (behind) addColumnSums(W, b, -0.5)
  })

/** Whether the circuit's output is that of a single linear map with a bias, and nothing else reads it. */
export const isEndedByMap = (circuit: Circuit.Circuit): boolean => {
  const last = Circuit.sites(circuit).at(-1)
  // A custom block with a weight may do more than a linear map.
  if (last?.block.kind !== "linear" || last.block.parameters.bias === undefined) return false
  const { output } = Wires.make(circuit).get(last.path)!
  return output.writers.size === 1 && output.readers.size === 1
}

/** Parameters with which a circuit ending in a linear map returns σ ẑ + μ instead of ẑ, per output: in the last map W ← W diag σ, b ← σ b + μ. */
export const answering = (
  original: Circuit.Circuit,
  parameters: Arrays,
  { σ, μ }: { readonly σ: ReadonlyArray<number>; readonly μ: ReadonlyArray<number> }
): Arrays =>
  eachMap(original, parameters, (W, b, { output }) => {
    if (!output.readers.has("output")) return
    for (let i = 0; i < W.length; i++) W[i]! *= σ[i % b.length]!
    for (let i = 0; i < b.length; i++) b[i] = σ[i]! * b[i]! + μ[i]!
  })

/** Calls `change` with the weight and bias of each linear map, in a copy, and the wires that the map reads and writes. */
const eachMap = (
  original: Circuit.Circuit,
  parameters: Arrays,
  change: (W: Float64Array, b: Float64Array, ends: Wires.Ends) => void
): Arrays => {
  const changed: Record<string, NdArray> = { ...parameters }
  const copy = (name: string): NdArray["data"] => {
    const { data, shape } = changed[name]!
    if (changed[name] === parameters[name]) changed[name] = { shape, data: data.slice() }
    return changed[name]!.data
  }
  const wires = Wires.make(original)
  for (const { block, leaf, path, turn } of Circuit.sites(original)) {
    if (!Circuit.isLinear(block)) continue
    const weight = copy(Circuit.join(leaf, "weight"))
    const hasBias = block.parameters.bias !== undefined
    const bias = hasBias ? copy(Circuit.join(leaf, "bias")) : new Float32Array(0)
    const [inputs, n] = block.parameters.weight!.shape as readonly [number, number]
    const m = inputs * n
    const W = Float64Array.from(weight.subarray(turn * m, (turn + 1) * m))
    const b = Float64Array.from(hasBias ? bias.subarray(turn * n, (turn + 1) * n) : new Float32Array(n))
    change(W, b, wires.get(path)!)
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
