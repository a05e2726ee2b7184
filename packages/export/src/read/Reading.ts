/**
 * An imported model as a circuit: its graph as a program, its initialisers as parameters, each of its nodes a place that may be cut.
 */
import { type Block, Circuit, type Engine, type NdArray, Program, Rewrite, Tensor } from "@rai/core"
import { Effect } from "effect"
import * as Metadata from "../Metadata.ts"
import * as Model from "../Model.ts"
import * as ModelFile from "../ModelFile.ts"
import * as Naming from "../Naming.ts"
import type { ModelProto, NodeProto } from "../onnx_pb.ts"
import * as Examples from "./Examples.ts"
import { ModelInvalid, OperatorsUnsupported } from "./ModelInvalid.ts"
import * as Network from "./Network.ts"
import * as Operators from "./Operators.ts"

/** An imported model. */
export interface Read {
  /** x: [batch, inputs] → [batch, outputs]; it starts from the model's own parameters, whatever the initialiser. */
  readonly circuit: Circuit.Circuit
  readonly parameters: Engine.Arrays
  /** Shape of one example as the model takes it; the circuit takes it flattened. */
  readonly example: ReadonlyArray<number>
  /** Name of the model's output that the circuit computes. */
  readonly output: string
  /** Names of the outputs that the circuit leaves out; none for a model that this project wrote, whose outputs all say the same. */
  readonly others: ReadonlyArray<string>
}

/** How a model is read. */
export interface Options {
  /** Name of the output that the circuit computes; by default the first floating-point one. */
  readonly output?: string
  /**
   * Whether the circuit ends before a final softmax or sigmoid, as losses of classes expect; an exported model has it again as its `probability`.
   */
  readonly logits?: boolean
}

/** Errors of reading a model. */
export type Failed = ModelFile.FileUnreadable | Model.NotAnOnnxModel | Network.Failed

/**
 * Reads the model in `file` as a circuit, up to its first floating-point output or the one named: its graph as a program, its initialisers as
 * parameters, each of its nodes a place that may be cut. x: [batch, inputs], each example flattened.
 *
 * ```ts
 * import { Circuit, NdArray } from "@rai/core"
 * import { Onnx } from "@rai/export"
 * import { Effect } from "effect"
 * import { writeFile } from "node:fs/promises"
 *
 * const linear = Onnx.make({
 *   circuit: Circuit.linear(2, 1),
 *   parameters: { weight: NdArray.make([2, 1], [1, -1]), bias: NdArray.make([1], [0.5]) },
 *   task: "regression",
 *   inputNames: ["left", "right"],
 *   origin: { plan: "by hand", seed: 0, engine: "none", version: "0.1.0" }
 * })
 * await writeFile("linear.onnx", Effect.runSync(linear))
 * const { circuit } = await Effect.runPromise(Onnx.read("linear.onnx"))
 * Circuit.print(circuit) // => "graph 2→1"
 * Circuit.sites(circuit).map(({ block }) => block.kind) // => ["Gemm"]
 * ```
 */
export const read = Effect.fn("Onnx.read")(function* (
  file: string,
  options: Options = {}
): Effect.fn.Return<Read, Failed> {
  return yield* fromBytes(yield* ModelFile.read(file), file, options)
})

/** Reads a model from its bytes; external data lies beside `file`, which errors name. */
export const fromBytes = Effect.fn("Reading.fromBytes")(function* (
  bytes: Uint8Array,
  file: string,
  options: Options = {}
): Effect.fn.Return<Read, Model.NotAnOnnxModel | Network.Failed> {
  return yield* fromModel(yield* Model.decode(bytes, file), file, options)
})

/** Reads a decoded model, as `fromBytes` does. */
export const fromModel = Effect.fn("Reading.fromModel")(function* (
  model: ModelProto,
  file: string,
  options: Options = {}
): Effect.fn.Return<Read, Network.Failed> {
  const { fixed, name, shape } = yield* inputOf(model, file)
  const names = model.graph!.output.map(({ name }) => name)
  const named = options.output ?? realOutputs(model)[0]!
  const output = options.logits === true ? beforeHead(model, named) : named
  const network = yield* Network.read(model, { file, inputs: { [name]: shape }, outputs: [output], fixedBatch: fixed })
  const meeting = Examples.meeting(network.nodes)
  if (meeting.length > 0) {
    const reason = "it takes the examples of a batch together"
    const operators = meeting.map(({ node }) => ({ operator: node.opType, nodes: [node.name], reason }))
    return yield* new OperatorsUnsupported({ file, operators })
  }
  const whole = network.program.outputs[output]!
  const [examples, ...rest] = whole.shape
  if (examples !== batch || !rest.every((n) => typeof n === "number")) {
    const expected = `an output «${output}» [${batch}, …] with one row an example`
    return yield* new ModelInvalid({ file, expected, came: `[${whole.shape.join(", ")}] comes out` })
  }
  return {
    ...assemble(model, network, name, shape as Example, output),
    others: Metadata.read(model) === undefined ? names.filter((name) => name !== named) : [],
    example: shape.slice(1) as ReadonlyArray<number>,
    output
  }
})

/** Name of the batch axis, as in every circuit. */
const batch = "batch"

type Example = readonly [string, ...ReadonlyArray<number>]

/** Most numbers of an example: as many as an image of 4,096 by 4,096 has. */
const mostInputs = 2 ** 24

/** The only input, with the batch axis first and known lengths after it. */
const inputOf = Effect.fnUntraced(function* (model: ModelProto, file: string) {
  const inputs = Model.inputs(model)
  const [input, ...others] = inputs
  if (input === undefined || others.length > 0) {
    const names = inputs.map(({ name }) => `«${name}»`).join(", ")
    return yield* new ModelInvalid({ file, expected: "a model with one input", came: `it has ${names || "none"}` })
  }
  const [examples, ...lengths] = input.shape
  const isKnown = lengths.length > 0 && lengths.every((n) => typeof n === "number" && n >= 1 && n < 2 ** 31)
  if (examples === undefined || !isKnown) {
    const expected = `an input «${input.name}» [batch, …] whose lengths behind the batch are known`
    return yield* new ModelInvalid({ file, expected, came: `it is [${input.shape.join(", ")}]` })
  }
  const numbers = lengths.reduce<number>((n, m) => n * Number(m), 1)
  if (numbers > mostInputs) {
    const expected = `an input «${input.name}» of at most ${mostInputs} numbers for each example`
    return yield* new ModelInvalid({ file, expected, came: `it is [${input.shape.join(", ")}]` })
  }
  const fixed = typeof examples === "number" ? examples : undefined
  return { name: input.name, fixed, shape: [batch, ...lengths] as const }
})

/**
 * Names of the floating-point outputs, arrays or one map per example, of which the first is the circuit's; a classifier's very first output is often
 * its label.
 */
export const realOutputs = ({ graph }: ModelProto): ReadonlyArray<string> => {
  const { DOUBLE, FLOAT } = Model.DataType
  const real = graph!.output.filter(({ type }) => {
    const { value } = type ?? { value: undefined }
    const isMaps = value?.case === "sequenceType" && value.value.elemType?.value.case === "mapType"
    const isReal = value?.case === "tensorType" && (value.value.elemType === FLOAT || value.value.elemType === DOUBLE)
    return isReal || isMaps
  })
  return (real.length === 0 ? graph!.output.slice(0, 1) : real).map(({ name }) => name)
}

/** Name of what a final softmax or sigmoid takes, or of the output itself where neither makes it. */
const beforeHead = ({ graph }: ModelProto, output: string): string => {
  const makers = new Map(graph!.node.flatMap((node) => node.output.map((name) => [name, node] as const)))
  let name = output
  // Operators that only pass numbers on may stand in between; the bound on the steps ends the walk in a cyclic graph.
  for (let steps = 0; steps < graph!.node.length; steps++) {
    const { input = [], opType = "" } = makers.get(name) ?? {}
    if (/^(Softmax|Sigmoid)$/.test(opType)) return input[0]!
    if (!/^(Identity|Cast|ZipMap)$/.test(opType)) return output
    name = input[0]!
  }
  return output
}

/** The network as a circuit: its input and output flattened to rows, its parameters under names that no other array of a run has. */
const assemble = (
  model: ModelProto,
  { arrays, nodes, program }: Network.Network,
  name: string,
  shape: Example,
  output: string
): Pick<Read, "circuit" | "parameters"> => {
  const [, ...example] = shape
  const x = Tensor.input("x", [batch, example.reduce((a, b) => a * b, 1)])
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
  const width = found.shape.slice(1).reduce<number>((n, m) => n * Number(m), 1)
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
  const called = [...names].filter(([own, renamed]) => parameters[renamed] !== undefined && own !== renamed)
  const ends = {
    input: { name, example },
    output: { name: output, example: found.shape.slice(1).map(Number) },
    parameters: Object.fromEntries(called.map(([own, renamed]) => [renamed, own]))
  }
  return {
    circuit: Circuit.graph(
      { program: { ...whole, inputs: kept }, places: placesOf(nodes, replaced, whole), names: ends },
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

const operatorRole = (node: NodeProto) => Operators.roles.get(Operators.nameOf(node))

const fans = (shape: ReadonlyArray<number>) => {
  const [rows = 1, columns = 1, ...window] = shape
  const area = window.reduce((a, b) => a * b, 1)
  return shape.length === 2 ? { fanIn: rows, fanOut: columns } : { fanIn: columns * area, fanOut: rows * area }
}

/** Returns the role of each parameter by name, from the operators that use it. */
const rolesOf = (model: ModelProto, arrays: Network.Network["arrays"]) => {
  const weights = new Set<string>()
  const scales = new Set<string>()
  const statistics = new Set<string>()
  for (const node of model.graph!.node) {
    const { input, opType } = node
    if (operatorRole(node) === "map") for (const name of input.slice(0, 2)) weights.add(name)
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

/** A place for each node whose result has one row per example; two nodes of one tensor share a place. */
const placesOf = (
  nodes: ReadonlyArray<Network.Read>,
  replaced: ReadonlyMap<Tensor.Tensor, Tensor.Tensor>,
  whole: Program.Program
): ReadonlyArray<Circuit.Place> => {
  const isUsed = new Set(whole.nodes)
  const seen = new Set<Tensor.Tensor>()
  const makers = new Map(nodes.flatMap((read) => read.node.output.map((name) => [name, read.node] as const)))
  const readers = Map.groupBy(
    nodes.flatMap(({ node }) => node.input.map((name) => ({ name, node }))),
    ({ name }) => name
  )
  const own = nodes.flatMap(({ node, result }): ReadonlyArray<Circuit.Place> => {
    const tensor = replaced.get(result)!
    if (!isUsed.has(tensor) || seen.has(tensor) || tensor.shape[0] !== batch || tensor.dtype !== "float") return []
    seen.add(tensor)
    return [{ name: node.name, kind: node.opType, role: roleOf(node, makers, readers), result: tensor }]
  })
  // In program order, so that each comes after what it is computed from.
  const order = new Map(whole.nodes.map((tensor, i) => [tensor, i]))
  return own.toSorted((a, b) => order.get(a.result)! - order.get(b.result)!)
}

/** Role of a node's place; where a `MatMul` is followed by the sum with its bias, the sum is the map for both. */
const roleOf = (
  node: NodeProto,
  makers: ReadonlyMap<string, NodeProto>,
  readers: ReadonlyMap<string, ReadonlyArray<{ readonly node: NodeProto }>>
): Circuit.Place["role"] => {
  // The linear models of ai.onnx.ml have their parameters in attributes.
  const isMap = (of: NodeProto) =>
    operatorRole(of) === "map" && (of.domain === "ai.onnx.ml" || of.input.slice(0, 2).some((name) => !makers.has(name)))
  const product = (of: NodeProto) => {
    const made = of.input.map((name) => makers.get(name))
    const from = made.find((maker) => maker !== undefined && isMap(maker) && maker.opType === "MatMul")
    return of.opType === "Add" && made.includes(undefined) ? from : undefined
  }
  if (operatorRole(node) === "activation") return "activation"
  if (product(node) !== undefined) return "map"
  if (!isMap(node)) return "other"
  const behind = readers.get(node.output[0]!) ?? []
  return behind.length === 1 && product(behind[0]!.node) === node ? "other" : "map"
}
