/**
 * Coordinates: a circuit trained as another one that it equals, by what its linear maps can take up. A sigmoid circuit is a tanh circuit,
 * since σ(2u) = (1 + tanh u)/2, and activations centred on zero are far easier to relax; and what answers in one unit answers in any other.
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
  eachMap(original, parameters, (W, b, { input, output }) => {
    const behind = input.writers.has("sigmoid")
    const out = output.readers.has("sigmoid") ? 0.5 : 1
    if (behind) addColumnSums(W, b, 0.5)
    scale(W, out * (behind ? 0.5 : 1))
    scale(b, out)
  })

/** The way back: W = W̃ / (s_in s_out), b = b̃ / s_out − ½ colsum W. */
export const fromTanh = (original: Circuit.Circuit, parameters: Arrays): Arrays =>
  eachMap(original, parameters, (W, b, { input, output }) => {
    const behind = input.writers.has("sigmoid")
    const out = output.readers.has("sigmoid") ? 2 : 1
    scale(W, out * (behind ? 2 : 1))
    scale(b, out)
    if (behind) addColumnSums(W, b, -0.5)
  })

/** Whether the circuit's answers are those of one linear map with a bias, which nothing else reads. */
export const isEndedByMap = (circuit: Circuit.Circuit): boolean => {
  const last = Circuit.sites(circuit).at(-1)
  // A block of one's own with a weight may do more than a linear map.
  if (last?.block.kind !== "linear" || last.block.parameters.bias === undefined) return false
  const { output } = Wires.make(circuit).get(last.path)!
  return output.writers.size === 1 && output.readers.size === 1
}

/** The parameters of a circuit ended by a map that answers σ ẑ + μ in place of ẑ, output by output: of its last map W ← W diag σ, b ← σ b + μ. */
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

/** Calls `change` on the weight and bias of each linear map of a copy, and with the wires that it reads and writes. */
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
