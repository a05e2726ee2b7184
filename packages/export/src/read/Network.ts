/**
 * ONNX graph → program: the nodes in order, each by its operator's row. What depends on constants of the model alone is computed at once; nodes that
 * the outputs do not need are ignored.
 */
import { Engine, type NdArray, Program, ReferenceEngine, type Shape, ShapeMismatch, Tensor } from "@rai/core"
import { Effect } from "effect"
import { opsetOf } from "../Model.ts"
import * as Naming from "../Naming.ts"
import type { AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto } from "../onnx_pb.ts"
import { Call, type Result, type Surroundings } from "./Call.ts"
import { ModelInvalid, OperatorsUnsupported } from "./ModelInvalid.ts"
import * as Operators from "./Operators.ts"
import * as Order from "./Order.ts"
import { Refused } from "./Refused.ts"
import * as Tensors from "./Tensors.ts"
import type * as Value from "./Value.ts"

/** How a graph is read. */
export interface Settings {
  /** The model's file: errors name it, and external data lies beside it. */
  readonly file: string
  /** Shapes of the inputs that each run supplies. */
  readonly inputs: Readonly<Record<string, Shape.Shape>>
  /** Inputs supplied already: their shapes and numbers are known, but do not count as constants of the model. */
  readonly given?: Readonly<Record<string, Tensors.Decoded>>
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

/** An array of the model that its program takes as an input: an initialiser, or other numbers. */
export interface Embedded {
  readonly array: NdArray.NdArray
  readonly isInitialiser: boolean
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
  if (unknown.length > 0) return yield* unsupported(file, unknown)
  if (!(opset >= lowest && opset <= highest)) {
    const expected = `operator set ${lowest} to ${highest} of ONNX`
    return yield* new ModelInvalid({
      file,
      expected,
      came: opset === 0 ? "it names none" : `it is written in ${opset}`
    })
  }
  const reading = new Reading(graph, opset, settings)
  const refusals: Array<Refusal> = []
  for (const node of nodes) yield* reading.node(node, refusals)
  if (refusals.length > 0) {
    const invalid = refusals.find(({ error }) => error.isInvalid)
    if (invalid !== undefined) {
      const expected = `shapes and settings that fit each other in ${invalid.node.opType} «${invalid.node.name}»`
      return yield* new ModelInvalid({ file, expected, came: invalid.error.message })
    }
    const operators = refusals.map(({ error, node }) => ({
      operator: node.opType,
      nodes: [node.name],
      reason: error.message
    }))
    return yield* new OperatorsUnsupported({ file, operators })
  }
  return yield* reading.network()
})

interface Refusal {
  readonly node: NodeProto
  readonly error: Refused
}

const unsupported = (file: string, nodes: ReadonlyArray<NodeProto>): OperatorsUnsupported => {
  const operators = [...Map.groupBy(nodes, Operators.nameOf)].map(([operator, own]) => ({
    operator,
    nodes: own.map(({ name }) => name)
  }))
  return new OperatorsUnsupported({ file, operators })
}

/** Most numbers of a result that is computed from parameters while the graph is read. */
const few = 64

/** Most numbers that an engine holds in one array. */
const most = 2 ** 31

/** Most numbers of a constant result that is computed while the graph is read. */
const mostFolded = 2 ** 16

const size = (shape: Shape.Shape): number => shape.reduce<number>((n, m) => (typeof m === "number" ? n * m : n), 1)

/** Whether a record has an entry for a name of the model, which may be one that every object inherits, such as `constructor`. */
const has = (record: object | undefined, name: string): boolean => record !== undefined && Object.hasOwn(record, name)

class Reading {
  private readonly settings: Settings
  private readonly graph: GraphProto
  private readonly surroundings: Omit<Surroundings, "trained">
  private readonly values = new Map<string, Value.Value>()
  private readonly inputs: Map<string, Tensor.Tensor>
  private readonly arrays = new Map<string, Embedded>()
  private readonly unique = Naming.make()
  private readonly nodes: Array<Read> = []
  private readonly initialisers: ReadonlyMap<string, TensorProto>
  /** Outputs of refused nodes; nodes that need one are skipped without a report of their own. */
  private readonly lost = new Set<string>()

  constructor(graph: GraphProto, opset: number, settings: Settings) {
    this.settings = settings
    this.graph = graph
    this.initialisers = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]))
    this.inputs = new Map(Object.entries(settings.inputs).map(([name, shape]) => [name, Tensor.input(name, shape)]))
    for (const name of this.inputs.keys()) this.unique(name)
    const shapes = Object.values(settings.inputs).flat()
    this.surroundings = {
      opset,
      names: [...new Set(shapes.filter((n) => typeof n === "string"))],
      fixedBatch: settings.fixedBatch,
      embed: (array) => this.embed("constant", array, false),
      decode: (attribute: AttributeProto) => {
        if (attribute.t === undefined) throw new Refused("its value holds no tensor", true)
        return Tensors.decode(attribute.t, settings.file)
      }
    }
  }

  /** Adds an array as an input of the program, under a unique name. */
  private embed(wanted: string, array: NdArray.NdArray, isInitialiser: boolean): Tensor.Tensor {
    const name = this.unique(wanted)
    this.arrays.set(name, { array, isInitialiser })
    const input = Tensor.input(name, array.shape)
    this.inputs.set(name, input)
    return input
  }

  /** A value whose numbers are known; it becomes part of the program only when its tensor is asked for. */
  private fromNumbers(
    name: string,
    { array, kind }: Tensors.Decoded,
    isFixed: boolean,
    isInitialiser = false
  ): Value.Value {
    let tensor: Tensor.Tensor | undefined
    const make = (): Tensor.Tensor => {
      const [first] = array.data
      const isOne =
        array.data.length > 0 &&
        (isFixed || array.shape.length === 0) &&
        array.data.every((n: number) => Object.is(n, first))
      const numbers =
        isOne && !has(this.settings.given, name)
          ? Tensor.constant(first!).broadcastTo(array.shape)
          : this.embed(name, array, isInitialiser)
      return kind === "bool" ? numbers.greater(0.5) : numbers
    }
    return {
      kind,
      shape: array.shape,
      known: array,
      isFixed,
      tensor: () => {
        tensor ??= make()
        return tensor
      }
    }
  }

  private value(name: string): Value.Value | undefined {
    if (name === "") return undefined
    const known = this.values.get(name) ?? this.leaf(name)
    this.values.set(name, known)
    return known
  }

  /** The value of an output, which the format does not allow to be unnamed. */
  private named(name: string): Value.Value {
    const value = this.value(name)
    if (value === undefined) throw new Refused("an output without a name came", true)
    return value
  }

  private leaf(name: string): Value.Value {
    if (has(this.settings.given, name)) return this.fromNumbers(name, this.settings.given![name]!, false)
    const input = has(this.settings.inputs, name) ? this.inputs.get(name) : undefined
    if (input !== undefined) return { kind: "float", shape: input.shape, tensor: () => input, isFixed: false }
    const decoded = Tensors.decode(this.initialisers.get(name)!, this.settings.file)
    // Integers, conditions and scalars are constants; other floating-point arrays are trained.
    const isFixed = decoded.kind !== "float" || decoded.array.shape.length === 0
    return this.fromNumbers(name, decoded, isFixed, decoded.kind === "float")
  }

  /** Reads a node, or records why it is refused. */
  readonly node = Effect.fnUntraced(function* (
    this: Reading,
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
    this.nodes.push({ node, result: "kind" in first ? first.tensor : first })
  })

  private results(node: NodeProto): { readonly call: Call; readonly results: ReadonlyArray<Result> } {
    const call = new Call({
      inputs: node.input.map((name) => this.value(name)),
      outputs: node.output,
      attributes: new Map(node.attribute.map((attribute) => [attribute.name, attribute])),
      graph: {
        ...this.surroundings,
        trained: (what, array) => this.embed(`${node.name}.${what}`, array, true)
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
      if (size(shape) > most) throw new Refused(`it gives [${shape}], more than ${most} numbers for each example`)
    }
    return { call, results }
  }

  private readonly result = Effect.fnUntraced(function* (
    this: Reading,
    name: string,
    result: Result,
    call: Call,
    isKnown: boolean
  ): Effect.fn.Return<Value.Value> {
    if ("known" in result) return this.fromNumbers(name, { array: result.known, kind: result.kind }, true)
    const tensor = "tensor" in result ? result.tensor : result
    const inherited = call.inputs[0]?.kind === "int" ? "int" : "float"
    const kind = "tensor" in result ? result.kind : tensor.dtype === "bool" ? "bool" : inherited
    const isSmall = isKnown && tensor.shape.every((n) => typeof n === "number") && size(tensor.shape) <= mostFolded
    if (isSmall) {
      const array = yield* this.computed(tensor)
      if (array !== undefined) return this.fromNumbers(name, { array, kind }, true)
    }
    // A small result that depends on parameters, such as a bound, may be asked for as numbers too.
    const isFew = call.inputs.every((value) => value?.known !== undefined) && size(tensor.shape) <= few
    const known = isFew ? yield* this.computed(tensor) : undefined
    return { kind, shape: tensor.shape, tensor: () => tensor, known, isFixed: false }
  })

  /** Computes a formula over the model's arrays; undefined where it is too large or needs anything else. */
  private readonly computed = Effect.fnUntraced(function* (
    this: Reading,
    tensor: Tensor.Tensor
  ): Effect.fn.Return<NdArray.NdArray | undefined> {
    const program = Program.fromTensors({}, { value: tensor })
    if (program.nodes.some(({ shape }) => !(size(shape) <= 16 * mostFolded))) return undefined
    const names = program.nodes.flatMap(({ attributes, primitive }) =>
      primitive.name === "input" ? [attributes.name as string] : []
    )
    if (!names.every((name) => this.arrays.has(name))) return undefined
    const arrays = Object.fromEntries(names.map((name) => [name, this.arrays.get(name)!.array]))
    const inputs = Object.fromEntries(names.map((name) => [name, this.inputs.get(name)!]))
    const { value } = yield* Effect.orDie(
      Effect.provide(Engine.run({ ...program, inputs }, arrays), ReferenceEngine.layer)
    )
    return value
  })

  /** The whole network, once every node has been read. */
  readonly network = Effect.fnUntraced(function* (this: Reading): Effect.fn.Return<Network, ModelInvalid> {
    const { file, outputs } = this.settings
    const found = attempt(() => outputs.map((name) => [name, this.named(name)] as const))
    if (found instanceof Refused) {
      return yield* new ModelInvalid({ file, expected: "arrays that can be read", came: found.message })
    }
    for (const [name, { shape }] of found) {
      const type = this.graph.output.find((output) => output.name === name)?.type?.value
      const declared = type?.case === "tensorType" ? type.value.shape?.dim : undefined
      const wrong = declared?.some(({ value }, axis) => {
        const n = shape[axis]
        const isBatch = axis === 0 && this.settings.fixedBatch !== undefined
        return !isBatch && value.case === "dimValue" && typeof n === "number" && Number(value.value) !== n
      })
      if (declared !== undefined && (declared.length !== shape.length || wrong === true)) {
        const said = declared.map(({ value }) => (value.case === undefined ? "?" : String(value.value)))
        const expected = `the output «${name}» [${said}], as the model says`
        return yield* new ModelInvalid({ file, expected, came: `[${shape.join(",")}] comes out` })
      }
    }
    const named = Object.fromEntries(found.map(([name, value]) => [name, value.tensor()]))
    const { nodes } = Program.fromTensors({}, named)
    const isUsed = new Set(nodes)
    const used = [...this.inputs].filter(([name, tensor]) => isUsed.has(tensor) || has(this.settings.inputs, name))
    return {
      program: Program.fromTensors(Object.fromEntries(used), named),
      kinds: Object.fromEntries(found.map(([name, { kind }]) => [name, kind])),
      arrays: Object.fromEntries(
        used.flatMap(([name]) => (this.arrays.has(name) ? [[name, this.arrays.get(name)!]] : []))
      ),
      nodes: this.nodes.filter(({ result }) => isUsed.has(result))
    }
  })
}

/** Returns what a row throws as a value. */
const attempt = <A>(f: () => A): A | Refused => {
  try {
    return f()
  } catch (error) {
    if (error instanceof Refused) return error
    if (error instanceof ShapeMismatch) {
      return new Refused(`${error.operation} expects ${error.expected}, and ${error.came} comes`, true)
    }
    throw error
  }
}
