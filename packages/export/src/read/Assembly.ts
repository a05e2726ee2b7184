/**
 * An imported network as a circuit: one block with places, its initialisers as parameters under names and in roles that a run knows.
 */
import { type Block, Circuit, type Engine, NdArray, Program, Rewrite, Tensor } from "@rai/core"
import * as Naming from "../Naming.ts"
import type { ModelProto } from "../onnx_pb.ts"
import * as InputElements from "./InputElements.ts"
import type * as Network from "./Network.ts"
import * as Operators from "./Operators.ts"
import * as Places from "./Places.ts"

/** Shape of the network's input, the batch axis first. */
export type Example = readonly [string, ...ReadonlyArray<number>]

/** The network as a circuit: its input and output flattened to rows, its parameters under names that no other array of a run has. */
export const make = (
  model: ModelProto,
  { arrays, nodes, program }: Network.Network,
  name: string,
  shape: Example,
  output: string
): { readonly circuit: Circuit.Circuit; readonly parameters: Engine.Arrays } => {
  const [batch, ...example] = shape
  const x = Tensor.input("x", [batch, NdArray.size(example)])
  const names = parameterNames(Object.keys(arrays))
  const inputs = new Map<Tensor.Tensor, Tensor.Tensor>([[program.inputs[name]!, x.reshape(shape)]])
  for (const [own, renamed] of names) inputs.set(program.inputs[own]!, Tensor.input(renamed, arrays[own]!.array.shape))
  const replaced = new Map<Tensor.Tensor, Tensor.Tensor>()
  Rewrite.rewrite(program, (node, operands) => {
    const own = inputs.get(node) ?? Rewrite.rebuild(node, operands)
    replaced.set(node, own)
    return own
  })
  const found = replaced.get(program.outputs[output]!)!
  const width = NdArray.size(found.shape.slice(1).map(Number))
  const rows = found.reshape([batch, width])
  const whole = Program.fromTensors({}, { output: rows })
  const leaves = whole.nodes.filter(({ primitive }) => primitive.name === "input")
  const kept: Record<string, Tensor.Tensor> = { x }
  for (const leaf of leaves) kept[leaf.attributes.name as string] = leaf
  const roles = rolesOf(model, arrays)
  const parameters = Object.fromEntries(
    Object.entries(arrays).flatMap(([own, { array }]): ReadonlyArray<readonly [string, Block.Parameter]> => {
      const renamed = names.get(own)!
      if (kept[renamed] === undefined) return []
      return [[renamed, { shape: array.shape, ...fans(array.shape), role: roles(own), initial: array }]]
    })
  )
  const elements = InputElements.of(model, name)
  const called = [...names].filter(([own, renamed]) => parameters[renamed] !== undefined && own !== renamed)
  const ends = {
    input: { name, example, ...(elements && { elements }) },
    output: { name: output, example: found.shape.slice(1).map(Number) },
    parameters: Object.fromEntries(called.map(([own, renamed]) => [renamed, own]))
  }
  return {
    circuit: Circuit.graph(
      { program: { ...whole, inputs: kept }, places: Places.of(nodes, replaced, whole), names: ends },
      parameters
    ),
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([own, { initial }]) => [own, float32(initial as NdArray.NdArray)])
    )
  }
}

const float32 = ({ data, shape }: NdArray.NdArray): NdArray.NdArray => ({
  shape,
  data: data instanceof Float32Array ? data : Float32Array.from(data)
})

/** `fc1.weight` stays as it is; a name without a dot, or with a slash as the names of a run's own arrays have, gets the prefix `graph.`. */
const parameterName = (name: string): string =>
  /^[^/*]*\.[^/*]*$/.test(name) && !/^[xyλ]$/.test(name) ? name : `graph.${name.replaceAll(/[/*]/g, "·")}`

/** Makes the names unique, since `a/b` and `a*b` would share one; a name that needs no change is kept. */
const parameterNames = (all: ReadonlyArray<string>): ReadonlyMap<string, string> => {
  const unique = Naming.make()
  const asTheyAre = all.filter((own) => parameterName(own) === own)
  const names = new Map(asTheyAre.map((own) => [own, unique(own)]))
  return new Map(all.map((own) => [own, names.get(own) ?? unique(parameterName(own))]))
}

const fans = (shape: ReadonlyArray<number>) => {
  const [rows = 1, columns = 1, ...window] = shape
  const area = NdArray.size(window)
  return shape.length === 2 ? { fanIn: rows, fanOut: columns } : { fanIn: columns * area, fanOut: rows * area }
}

/** Returns the role of each parameter by name, from the operators that use it. */
const rolesOf = (model: ModelProto, arrays: Network.Network["arrays"]) => {
  const weights = new Set<string>()
  const scales = new Set<string>()
  const statistics = new Set<string>()
  for (const node of model.graph!.node) {
    const { input, opType } = node
    if (Operators.roleOf(node) === "map") for (const name of input.slice(0, 2)) weights.add(name)
    if (/Normalization$/.test(opType)) scales.add(input[1] ?? "")
    if (opType === "BatchNormalization") for (const name of input.slice(3, 5)) statistics.add(name)
  }
  return (name: string): Block.Parameter["role"] => {
    const { array, isInitialiser } = arrays[name]!
    if (!isInitialiser || statistics.has(name)) return "statistic"
    if (scales.has(name)) return "scale"
    return weights.has(name) || array.shape.length >= 2 ? "weight" : "bias"
  }
}
