/**
 * An imported model as a circuit: its graph as a program, its initialisers as parameters, each of its nodes a place that may be cut.
 */
import { type Circuit, type Engine, NdArray } from "@rai/core"
import { Effect } from "effect"
import * as Metadata from "../Metadata.ts"
import * as Model from "../Model.ts"
import * as ModelFile from "../ModelFile.ts"
import type { ModelProto } from "../onnx_pb.ts"
import * as Assembly from "./Assembly.ts"
import * as Examples from "./Examples.ts"
import { dynamicBatch, ModelInvalid, OperatorsUnsupported, oneInput } from "./ModelInvalid.ts"
import * as Network from "./Network.ts"

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
    const own = fixed === undefined ? {} : { advice: dynamicBatch(fixed) }
    return yield* new ModelInvalid({ file, expected, came: `[${whole.shape.join(", ")}] comes out`, ...own })
  }
  return {
    ...Assembly.make(model, network, name, shape as Assembly.Example, output),
    others: Metadata.read(model) === undefined ? names.filter((name) => name !== named) : [],
    example: shape.slice(1) as ReadonlyArray<number>,
    output
  }
})

/** Name of the batch axis, as in every circuit. */
const batch = "batch"

/** Most numbers of an example: as many as an image of 4,096 by 4,096 has. */
const mostInputs = 2 ** 24

/** The only input, with the batch axis first and known lengths after it. */
const inputOf = Effect.fnUntraced(function* (model: ModelProto, file: string) {
  const inputs = Model.inputs(model)
  const [input, ...others] = inputs
  if (input === undefined || others.length > 0) {
    const names = inputs.map(({ name }) => `«${name}»`).join(", ")
    const own = others.length === 0 ? {} : { advice: oneInput }
    return yield* new ModelInvalid({
      file,
      expected: "a model with one input",
      came: `it has ${names || "none"}`,
      ...own
    })
  }
  const [examples, ...lengths] = input.shape
  const isKnown = lengths.length > 0 && lengths.every((n) => typeof n === "number" && n >= 1 && n < 2 ** 31)
  if (examples === undefined || !isKnown) {
    const expected = `an input «${input.name}» [batch, …] whose lengths behind the batch are known`
    return yield* new ModelInvalid({ file, expected, came: `it is [${input.shape.join(", ")}]` })
  }
  const numbers = NdArray.size(lengths.map(Number))
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
