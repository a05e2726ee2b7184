/**
 * ONNX graph → program: the nodes in order, each by its operator's row. What depends on constants of the model alone is computed at once; nodes that
 * the outputs do not need are ignored.
 */
import { Program, Shape, type Tensor } from "@rai/core"
import { Effect } from "effect"
import * as Metadata from "../Metadata.ts"
import { opsetOf } from "../Model.ts"
import type { AttributeProto, GraphProto, ModelProto, NodeProto } from "../onnx_pb.ts"
import * as Quantised from "../Quantised.ts"
import { Call, type Result, type Surroundings } from "./Call.ts"
import * as Joined from "./Joined.ts"
import { dynamicBatch, ModelInvalid, OperatorsUnsupported } from "./ModelInvalid.ts"
import * as Operators from "./Operators.ts"
import * as Order from "./Order.ts"
import { attempt, Refused } from "./Refused.ts"
import * as Tensors from "./Tensors.ts"
import type * as Value from "./Value.ts"
import { type Embedded, type Given, has, mostFolded, Values } from "./Values.ts"

/** How a graph is read; errors name its file. */
export interface Settings extends Given {
  /** Names of the outputs to compute. */
  readonly outputs: ReadonlyArray<string>
  readonly fixedBatch?: number | undefined
}

/** A node that was read, with the first of its results that is used. */
export interface Read {
  readonly node: NodeProto
  readonly result: Tensor.Tensor
}

/** A graph as a program over its inputs and those of its own arrays that it uses, by name. */
export interface Network {
  readonly program: Program.Program
  readonly kinds: Readonly<Record<string, Value.Kind>>
  readonly arrays: Readonly<Record<string, Embedded>>
  readonly nodes: ReadonlyArray<Read>
}

/** Errors of reading a graph. */
export type Failed = ModelInvalid | OperatorsUnsupported

/** Reads a model's graph as a program. */
export const read = Effect.fn("Network.read")(function* (
  model: ModelProto,
  settings: Settings
): Effect.fn.Return<Network, Failed> {
  const { file } = settings
  const graph = model.graph!
  const opset = opsetOf(model)
  const { highest, lowest } = Operators.opsets
  const nodes = yield* Order.make(graph, settings)
  const unknown = nodes.filter((node) => !Operators.table.has(Operators.nameOf(node)))
  if (unknown.length > 0) return yield* unsupported(file, unknown, model)
  if (!(opset >= lowest && opset <= highest)) {
    const expected = `operator set ${lowest} to ${highest} of ONNX`
    return yield* new ModelInvalid({
      file,
      expected,
      came: opset === 0 ? "it names none" : `it is written in ${opset}`
    })
  }
  const reader = new Reader(graph, opset, settings)
  const refusals: Array<Refusal> = []
  for (const node of nodes) yield* reader.node(node, refusals)
  if (refusals.length > 0) {
    const invalid = refusals.find(({ error }) => error.isInvalid)
    if (invalid !== undefined) {
      const expected = `shapes and settings that fit each other in ${invalid.node.opType} «${invalid.node.name}»`
      return yield* new ModelInvalid({ file, expected, came: invalid.error.message, ...adviceFor(settings) })
    }
    const operators = refusals.map(({ error, node }) => ({
      operator: node.opType,
      nodes: [node.name],
      reason: error.message
    }))
    return yield* new OperatorsUnsupported({ file, operators })
  }
  return yield* reader.network()
})

/** Shapes that do not fit each other come from a fixed batch where a model has one. */
const adviceFor = ({ fixedBatch }: Settings) => (fixedBatch === undefined ? {} : { advice: dynamicBatch(fixedBatch) })

interface Refusal {
  readonly node: NodeProto
  readonly error: Refused
}

/** What to do about a model that this project wrote with weights in int8. */
const inInt8 =
  "its weights are int8, which only onnxruntime computes with: read the run or the model that it was exported from, or export that with weights in float32 or float16"

const unsupported = (file: string, nodes: ReadonlyArray<NodeProto>, model: ModelProto): OperatorsUnsupported => {
  const isInt8 = Metadata.read(model) !== undefined && nodes.some(({ opType }) => opType === Quantised.product)
  const operators = [...Map.groupBy(nodes, Operators.nameOf)].map(([operator, own]) => ({
    operator,
    nodes: own.map(({ name }) => name)
  }))
  return new OperatorsUnsupported({ file, operators, ...(isInt8 && { advice: inInt8 }) })
}

/** Most numbers of a result that is computed from parameters while the graph is read. */
const few = 64

/** Most numbers that an engine holds in one array. */
const most = 2 ** 31

/** Reads nodes one after the other. */
class Reader {
  private readonly settings: Settings
  private readonly graph: GraphProto
  private readonly surroundings: Omit<Surroundings, "trained">
  private readonly values: Values
  private readonly nodes: Array<Read> = []
  /** What the program has for a row's formula. */
  private readonly formulas = new Joined.Formulas()
  /** Outputs of refused nodes; nodes that need one are skipped without a report of their own. */
  private readonly lost = new Set<string>()

  constructor(graph: GraphProto, opset: number, settings: Settings) {
    this.settings = settings
    this.graph = graph
    this.values = new Values(graph, settings)
    const shapes = Object.values(settings.inputs).flat()
    this.surroundings = {
      opset,
      names: [...new Set(shapes.filter((n) => typeof n === "string"))],
      fixedBatch: settings.fixedBatch,
      embed: (array) => this.values.embed("constant", array, false),
      decode: (attribute: AttributeProto) => {
        if (attribute.t === undefined) throw new Refused("its value holds no tensor", true)
        return Tensors.decode(attribute.t, settings.file)
      }
    }
  }

  /** The value of an output, which the format does not allow to be unnamed. */
  private named(name: string): Value.Value {
    const value = this.values.get(name)
    if (value === undefined) throw new Refused("an output without a name came", true)
    return value
  }

  /** Reads a node, or records why it is refused. */
  readonly node = Effect.fnUntraced(function* (
    this: Reader,
    node: NodeProto,
    refusals: Array<Refusal>
  ): Effect.fn.Return<void> {
    if (node.input.some((name) => this.lost.has(name))) {
      for (const name of node.output) this.lost.add(name)
      return
    }
    const read = attempt(() => this.results(node))
    if (read instanceof Refused) {
      refusals.push({ node, error: read })
      for (const name of node.output) this.lost.add(name)
      return
    }
    const { call, results } = read
    const isKnown = call.inputs.every((value) => value === undefined || value.isFixed)
    for (const [i, name] of node.output.entries()) {
      const result = results[i]
      if (name === "") continue
      if (result === undefined) {
        refusals.push({ node, error: new Refused(`its output ${i} is used`) })
        this.lost.add(name)
        continue
      }
      this.values.set(name, yield* this.result(name, result, call, isKnown))
    }
    const first = results.find((_, i) => node.output[i] !== "")
    if (isKnown || first === undefined || "known" in first) return
    this.nodes.push({ node, result: this.formulas.place("kind" in first ? first.tensor : first) })
  })

  private results(node: NodeProto): { readonly call: Call; readonly results: ReadonlyArray<Result> } {
    const call = new Call({
      inputs: node.input.map((name) => this.values.get(name)),
      outputs: node.output,
      attributes: new Map(node.attribute.map((attribute) => [attribute.name, attribute])),
      graph: {
        ...this.surroundings,
        trained: (what, array) => this.values.embed(`${node.name}.${what}`, array, true)
      }
    })
    if (call.attributes.has("broadcast")) throw new Refused("it broadcasts as operators did before set 7")
    const given = Operators.table.get(Operators.nameOf(node))!(call)
    const results: ReadonlyArray<Result> = Array.isArray(given) ? given : [given as Result]
    for (const result of results) {
      const { shape } = "known" in result ? result.known : "kind" in result ? result.tensor : result
      const isPossible = shape.every((n) => typeof n === "string" || (Number.isInteger(n) && n >= 0))
      if (!isPossible) throw new Refused(`[${shape}] would come out`, true)
      if (shape.includes(0) && !("known" in result)) throw new Refused("nothing comes out")
      if (Shape.count(shape).known > most)
        throw new Refused(`it gives [${shape}], more than ${most} numbers for each example`)
      if (!("known" in result)) this.formulas.of("kind" in result ? result.tensor : result)
    }
    return { call, results }
  }

  private readonly result = Effect.fnUntraced(function* (
    this: Reader,
    name: string,
    result: Result,
    call: Call,
    isKnown: boolean
  ): Effect.fn.Return<Value.Value> {
    if ("known" in result) return this.values.fromNumbers(name, { array: result.known, kind: result.kind }, true)
    const tensor = "tensor" in result ? result.tensor : result
    const inherited = call.inputs[0]?.kind === "int" ? "int" : "float"
    const kind = "tensor" in result ? result.kind : tensor.dtype === "bool" ? "bool" : inherited
    const isSmall =
      isKnown && tensor.shape.every((n) => typeof n === "number") && Shape.count(tensor.shape).known <= mostFolded
    if (isSmall) {
      const array = yield* this.values.computed(tensor)
      if (array !== undefined) return this.values.fromNumbers(name, { array, kind }, true)
    }
    // A small result that depends on parameters, such as a bound, may be asked for as numbers too.
    const isFew = call.inputs.every((value) => value?.known !== undefined) && Shape.count(tensor.shape).known <= few
    const known = isFew ? yield* this.values.computed(tensor) : undefined
    return { kind, shape: tensor.shape, tensor: () => tensor, known, isFixed: false }
  })

  /** The whole network, once every node has been read. */
  readonly network = Effect.fnUntraced(function* (this: Reader): Effect.fn.Return<Network, ModelInvalid> {
    const { file, outputs } = this.settings
    const found = attempt(() => outputs.map((name) => [name, this.named(name)] as const))
    if (found instanceof Refused) {
      return yield* new ModelInvalid({ file, expected: "arrays that can be read", came: found.message })
    }
    const [wrong] = found.flatMap(
      ([name, { shape }]) => this.contradiction(name, shape) ?? Joined.contradiction(name, shape) ?? []
    )
    if (wrong !== undefined) return yield* new ModelInvalid({ file, ...wrong, ...adviceFor(this.settings) })
    const named = Object.fromEntries(found.map(([name, value]) => [name, this.formulas.of(value.tensor())]))
    const { nodes } = Program.fromTensors({}, named)
    const isUsed = new Set(nodes)
    const used = [...this.values.inputs].filter(
      ([name, tensor]) => isUsed.has(tensor) || has(this.settings.inputs, name)
    )
    return {
      program: Program.fromTensors(Object.fromEntries(used), named),
      kinds: Object.fromEntries(found.map(([name, { kind }]) => [name, kind])),
      arrays: Object.fromEntries(
        used.flatMap(([name]) => (this.values.arrays.has(name) ? [[name, this.values.arrays.get(name)!]] : []))
      ),
      nodes: this.nodes.filter(({ result }) => isUsed.has(result))
    }
  })

  /** What the model says of an output's shape and what comes out, where these differ. */
  private contradiction(name: string, shape: Shape.Shape) {
    const type = this.graph.output.find((output) => output.name === name)?.type?.value
    const declared = type?.case === "tensorType" ? type.value.shape?.dim : undefined
    if (declared === undefined) return undefined
    const isWrong = declared.some(({ value }, axis) => {
      const n = shape[axis]
      const isBatch = axis === 0 && this.settings.fixedBatch !== undefined
      return !isBatch && value.case === "dimValue" && typeof n === "number" && Number(value.value) !== n
    })
    if (declared.length === shape.length && !isWrong) return undefined
    const said = declared.map(({ value }) => (value.case === undefined ? "?" : String(value.value)))
    return { expected: `the output «${name}» [${said}], as the model says`, came: `[${shape.join(",")}] comes out` }
  }
}
