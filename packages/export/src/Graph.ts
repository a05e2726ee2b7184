/**
 * Program → graph of ONNX operators.
 */
import { type Engine, Program, Rewrite, Simplify, type Tensor } from "@rai/core"
import { Effect } from "effect"
import * as Folding from "./Folding.ts"
import * as Model from "./Model.ts"
import * as Operators from "./Operators.ts"
import type { GraphProto } from "./onnx_pb.ts"
import * as Steps from "./Steps.ts"
import { Writer } from "./Writer.ts"

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
  const writer = new Writer()
  for (const name of new Set([...inputs, ...outputs].map(([name]) => name))) writer.unique(name)
  const values = new Map<Tensor.Tensor, string>()

  /** Place that the node being written belongs to. */
  let place: Place | undefined
  const within = (name: string): string => (place === undefined || place.path === "" ? name : `${place.path}.${name}`)
  const builder: Operators.Builder = {
    opset,
    add: (operation) =>
      writer.node(operation, writer.unique(within(operation.operator.toLowerCase())), undefined, place?.says),
    integers: (numbers) => writer.integers(numbers),
    float: (number) => writer.float(number),
    floats: (numbers) =>
      writer.once(`0 … ${numbers.length - 1}`, (name) =>
        writer.array(name, { shape: [numbers.length], data: Float32Array.from(numbers) })
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
    writer.once(`length of ${dimension}`, (name) => {
      const [input, { shape }] = inputs.find(([, { shape }]) => shape.includes(dimension))!
      const start = shape.indexOf(dimension)
      const attributes = { start, end: start + 1 }
      writer.node({ operator: "Shape", inputs: [input], attributes }, name, undefined, place?.says)
    })
  const valueOf = (tensor: Tensor.Tensor): string => {
    const folded = known.get(tensor)
    const name = values.get(tensor) ?? writer.unique(folded?.name ?? "")
    if (!values.has(tensor) && folded !== undefined) writer.array(name, folded.array)
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
    const output = results.get(node) ?? writer.unique(isPlace ? place!.path : primitive)
    values.set(node, writer.node(operation, output, isPlace ? place!.path : output, place?.says))
  }
  for (const [name, node] of outputs) {
    if (values.get(node) !== name) writer.node({ operator: "Identity", inputs: [valueOf(node)] }, name)
  }
  const declared = ([name, { dtype, shape }]: readonly [string, Tensor.Tensor]) => Model.value(name, shape, dtype)
  return writer.graph("circuit", inputs.map(declared), outputs.map(declared))
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
