/**
 * Program → graph of ONNX operators.
 */
import { create } from "@bufbuild/protobuf"
import { type Engine, Program, Rewrite, Simplify, type Tensor } from "@rai/core"
import { Effect } from "effect"
import * as Folding from "./Folding.ts"
import * as Model from "./Model.ts"
import * as Operators from "./Operators.ts"
import { type GraphProto, GraphProtoSchema, type NodeProto, type TensorProto } from "./onnx_pb.ts"
import * as Steps from "./Steps.ts"

/**
 * Writes any program as a graph: `constants` become part of it, the other inputs stay inputs. Composites without an operator of their own are
 * written by their definition; named dimensions stay names. `opset` is one of `Model.opsets`. What leads to a place is named by its path, and
 * carries its note.
 */
export const fromProgram: (
  source: Program.Program,
  constants?: Engine.Arrays,
  options?: Options
) => Effect.Effect<GraphProto, Operators.OperatorUnsupported> = Effect.fn("Graph.fromProgram")(function* (
  source,
  constants = {},
  { labels = {}, opset = Model.opset, places = [] } = {}
) {
  const marks = places.map(({ tensor }, i) => [`place ${i}`, tensor] as const)
  const marked = Program.fromTensors(source.inputs, { ...source.outputs, ...Object.fromEntries(marks) })
  const simple = Simplify.simplify(Rewrite.expand(marked, (composite) => Operators.table.has(composite)))
  const outputs = Object.fromEntries(Object.keys(source.outputs).map((name) => [name, simple.outputs[name]!]))
  const program = Program.fromTensors(simple.inputs, outputs)
  const belonging = belongingTo(places.map((place, i) => ({ ...place, tensor: simple.outputs[`place ${i}`]! })))
  const unknown = program.nodes.find(
    ({ primitive: { name } }) => name !== "input" && name !== "constant" && !Operators.table.has(name)
  )
  if (unknown !== undefined) {
    const known = [...Operators.table.keys()]
    return yield* new Operators.OperatorUnsupported({ operator: unknown.primitive.name, known })
  }
  const known = yield* Folding.fold(program, constants, labels)
  return write(program, known, constants, opset, belonging)
})

/** Options of a graph. */
export interface Options {
  readonly opset?: number
  /** Tensors of the program with their paths, in order of evaluation. */
  readonly places?: ReadonlyArray<Place>
  /** Names of constants in the graph, where they differ from those in `constants`. */
  readonly labels?: Readonly<Record<string, string>>
}

/** A tensor with its path, and a note for whoever reads the graph. */
export interface Place {
  readonly path: string
  readonly tensor: Tensor.Tensor
  readonly says: string
  /** Whether the path is the exact name of the node that computes the tensor, as in an imported network. */
  readonly isNode?: boolean
}

/** The place of each node: the first that it leads to. */
const belongingTo = (places: ReadonlyArray<Place>): ReadonlyMap<Tensor.Tensor, Place> => {
  const found = new Map<Tensor.Tensor, Place>()
  for (const place of places) {
    const pending = [place.tensor]
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (found.has(node)) continue
      found.set(node, place)
      pending.push(...node.operands)
    }
  }
  return found
}

const write = (
  program: Program.Program,
  known: ReadonlyMap<Tensor.Tensor, Folding.Folded>,
  constants: Engine.Arrays,
  opset: number,
  belonging: ReadonlyMap<Tensor.Tensor, Place>
): GraphProto => {
  const inputs = Object.entries(program.inputs).filter(([name]) => constants[name] === undefined)
  // An object lists integer keys first, which paths may be; in a model they come after the circuit's own outputs.
  const isNumber = ([name]: readonly [string, unknown]) => Number(/^\d+$/.test(name))
  const outputs = Object.entries(program.outputs).sort((a, b) => isNumber(a) - isNumber(b))
  const nodes: Array<NodeProto> = []
  const initializers: Array<TensorProto> = []
  const taken = new Map<string, number>([...inputs, ...outputs].map(([name]) => [name, 1]))
  const nodeNames = new Set<string>()
  const values = new Map<Tensor.Tensor, string>()
  const shared = new Map<string, string>()

  const unique = (name: string): string => {
    const times = (taken.get(name) ?? 0) + 1
    taken.set(name, times)
    return times === 1 ? name : unique(`${name}_${times}`)
  }
  const within = (name: string): string => (place === undefined || place.path === "" ? name : `${place.path}.${name}`)
  const once = (key: string, make: (name: string) => void): string => {
    const name = shared.get(key) ?? unique(key)
    if (!shared.has(key)) make(name)
    shared.set(key, name)
    return name
  }
  /** Place that the node being written belongs to. */
  let place: Place | undefined
  const emit = ({ attributes, inputs, operator }: Operators.Operation, output: string, name = output): string => {
    // An output may have the name of the node that computes it: that node keeps it, and the one that only passes the output on gets another.
    const own = nodeNames.has(name) ? unique(name) : name
    nodeNames.add(own)
    nodes.push(Model.node(operator, own, inputs, output, attributes, place?.says))
    return output
  }
  const builder: Operators.Builder = {
    opset,
    add: (operation) => emit(operation, unique(within(operation.operator.toLowerCase()))),
    integers: (numbers) => once(`[${numbers.join(",")}]`, (name) => initializers.push(Model.integers(name, numbers))),
    float: (number) =>
      once(String(number), (name) =>
        initializers.push(Model.floats(name, { shape: [], data: Float32Array.of(number) }))
      ),
    floats: (numbers) =>
      once(`0 … ${numbers.length - 1}`, (name) =>
        initializers.push(Model.floats(name, { shape: [numbers.length], data: Float32Array.from(numbers) }))
      ),
    dimensions: (shape) =>
      shape.every((n) => typeof n === "number")
        ? builder.integers(shape)
        : builder.add({
            operator: "Concat",
            inputs: shape.map((n) => (typeof n === "number" ? builder.integers([n]) : length(n))),
            attributes: { axis: 0 }
          })
  }
  const length = (dimension: string): string =>
    once(`length of ${dimension}`, (name) => {
      const [input, { shape }] = inputs.find(([, { shape }]) => shape.includes(dimension))!
      const start = shape.indexOf(dimension)
      emit({ operator: "Shape", inputs: [input], attributes: { start, end: start + 1 } }, name)
    })
  const valueOf = (tensor: Tensor.Tensor): string => {
    const folded = known.get(tensor)
    const name = values.get(tensor) ?? unique(folded?.name ?? "")
    if (!values.has(tensor) && folded !== undefined) initializers.push(Model.floats(name, folded.array))
    values.set(tensor, name)
    return name
  }

  for (const [name, tensor] of inputs) values.set(tensor, name)
  const results = new Map<Tensor.Tensor, string>()
  for (const [name, node] of outputs) if (!results.has(node)) results.set(node, name)
  for (const { node, operands, product } of Steps.make(program, known)) {
    place = belonging.get(node)
    const names = operands.map(valueOf)
    const operation = product
      ? { operator: "Gemm", inputs: names, attributes: Operators.transposed(product) }
      : Operators.table.get(node.primitive.name)!(builder, names, node)
    const isPlace = place?.isNode === true && place.tensor === node
    const primitive = place === undefined ? nameOf(node, operands, known) : within(node.primitive.name)
    const output = results.get(node) ?? unique(isPlace ? place!.path : primitive)
    values.set(node, emit(operation, output, isPlace ? place!.path : output))
  }
  place = undefined
  for (const [name, node] of outputs) {
    if (values.get(node) !== name) emit({ operator: "Identity", inputs: [valueOf(node)] }, name)
  }
  return create(GraphProtoSchema, {
    name: "circuit",
    node: nodes,
    initializer: initializers,
    input: inputs.map(([name, { dtype, shape }]) => Model.value(name, shape, dtype)),
    output: outputs.map(([name, { dtype, shape }]) => Model.value(name, shape, dtype))
  })
}

/** `1.17.1.matMul` where a parameter of the block `1.17.1` takes part, else the primitive's name. */
const nameOf = (
  { primitive: { name } }: Tensor.Tensor,
  operands: ReadonlyArray<Tensor.Tensor>,
  known: ReadonlyMap<Tensor.Tensor, Folding.Folded>
): string => {
  const parameter = operands
    .map((operand) => known.get(operand)?.name ?? "")
    .find((from) => /^[\d.]+\.[a-z]/i.test(from))
  return parameter === undefined ? name : `${parameter.slice(0, parameter.lastIndexOf("."))}.${name}`
}
