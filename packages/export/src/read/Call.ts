/**
 * One node of the graph as its row sees it: operands, attributes and the version of the operator set.
 */
import { type NdArray, type Shape, Tensor } from "@rai/core"
import type { AttributeProto } from "../onnx_pb.ts"
import { Refused } from "./Refused.ts"
import * as Value from "./Value.ts"

/** A node's result, with the kind of its elements where that is not the first operand's; or numbers that are known while the graph is read. */
export type Result =
  | Tensor.Tensor
  | { readonly tensor: Tensor.Tensor; readonly kind: Value.Kind }
  | { readonly known: NdArray.NdArray; readonly kind: Value.Kind }

/** Maps a node to its results, in order. Throws `ShapeMismatch`, or `Refused` with what it cannot express in primitives. */
export type Row = (call: Call) => Result | ReadonlyArray<Result>

/** What all nodes of a graph share. */
export interface Surroundings {
  readonly opset: number
  /** Names of the dimensions whose length each run decides. */
  readonly names: ReadonlyArray<string>
  /** Length of the batch axis where the model fixes one although any other would do. */
  readonly fixedBatch: number | undefined
  /** Embeds an array in the formula. */
  readonly embed: (array: NdArray.NdArray) => Tensor.Tensor
  /** Embeds numbers among a node's attributes as a parameter; `what` names their role in the node. */
  readonly trained: (what: string, array: NdArray.NdArray) => Tensor.Tensor
  /** Decodes a tensor held in an attribute. */
  readonly decode: (attribute: AttributeProto) => { readonly array: NdArray.NdArray; readonly kind: Value.Kind }
}

/** One node. */
export class Call {
  readonly inputs: ReadonlyArray<Value.Value | undefined>
  /** Names of its outputs; an unused one is empty. */
  readonly outputs: ReadonlyArray<string>
  readonly attributes: ReadonlyMap<string, AttributeProto>
  readonly graph: Surroundings

  constructor(parts: Pick<Call, "inputs" | "outputs" | "attributes" | "graph">) {
    this.inputs = parts.inputs
    this.outputs = parts.outputs
    this.attributes = parts.attributes
    this.graph = parts.graph
  }

  get opset(): number {
    return this.graph.opset
  }

  has(i: number): boolean {
    return this.inputs[i] !== undefined
  }

  value(i: number): Value.Value {
    const value = this.inputs[i]
    if (value === undefined) throw new Refused(`its input ${i} is missing`, true)
    return value
  }

  /** The i-th operand as numbers. */
  float(i = 0): Tensor.Tensor {
    return this.tensor(i).float()
  }

  /** The i-th operand unconverted: conditions stay conditions. */
  tensor(i = 0): Tensor.Tensor {
    const value = this.value(i)
    if (value.shape.includes(0)) throw new Refused(`its input ${i} holds no numbers`)
    return value.tensor()
  }

  /** The i-th operand as a condition. */
  bool(i = 0): Tensor.Tensor {
    const tensor = this.tensor(i)
    return tensor.dtype === "bool" ? tensor : not(tensor.equal(0))
  }

  kind(i = 0): Value.Kind {
    return this.value(i).kind
  }

  shape(i = 0): Shape.Shape {
    return this.value(i).shape
  }

  rank(i = 0): number {
    return this.shape(i).length
  }

  /** Numbers of the i-th operand, which must be known when the graph is read; throws `Refused` otherwise. */
  numbers(i: number): ReadonlyArray<number> {
    const { known } = this.value(i)
    if (known === undefined) throw new Refused(`its input ${i} is computed when the model runs`)
    return Array.from(known.data)
  }

  number(i: number): number {
    const [only, ...others] = this.numbers(i)
    if (only === undefined || others.length > 0) throw new Refused(`its input ${i} is no single number`, true)
    return only
  }

  /** Numbers of the i-th operand, or undefined where they are not known when the graph is read. */
  known(i: number): ReadonlyArray<number> | undefined {
    const known = this.inputs[i]?.known
    return known && Array.from(known.data)
  }

  /** A dimension as a number; a named one becomes the number that stands for it. */
  lengthOf(dimension: Shape.Dimension): number {
    return Value.toNumber(dimension, this.graph.names)
  }

  dimension(length: number): Shape.Dimension {
    return Value.toDimension(length, this.graph.names)
  }

  /** An integer attribute, or `otherwise` where it is missing. */
  int(name: string, otherwise: number): number {
    const attribute = this.attributes.get(name)
    return attribute === undefined ? otherwise : Number(attribute.i)
  }

  ints(name: string): ReadonlyArray<number> | undefined {
    return this.attributes.get(name)?.ints.map(Number)
  }

  reals(name: string): ReadonlyArray<number> | undefined {
    return this.attributes.get(name)?.floats
  }

  real(name: string, otherwise: number): number {
    return this.attributes.get(name)?.f ?? otherwise
  }

  text(name: string, otherwise: string): string {
    const attribute = this.attributes.get(name)
    return attribute === undefined ? otherwise : new TextDecoder().decode(attribute.s)
  }

  /** Normalises an axis to count from 0, negative ones counting from the end; throws `Refused` where there is no such axis. */
  axis(axis: number, rank = this.rank()): number {
    const own = axis < 0 ? axis + rank : axis
    if (!Number.isInteger(own) || own < 0 || own >= Math.max(1, rank)) {
      throw new Refused(`axis ${axis} is none of ${rank}`, true)
    }
    return own
  }

  /** Axes from the i-th operand or, in older operator sets, from the attribute `axes`. */
  axes(i: number, rank = this.rank()): ReadonlyArray<number> | undefined {
    const axes = this.has(i) ? this.numbers(i) : this.ints("axes")
    return axes?.map((axis) => this.axis(axis, rank))
  }

  /** All axes from one on. */
  axesFrom(axis: number): ReadonlyArray<number> {
    return this.shape().flatMap((_, i) => (i >= axis ? [i] : []))
  }

  /** Length of an axis of the i-th operand; throws `Refused` where each run decides it. */
  length(axis: number, i = 0): number {
    const n = this.shape(i)[axis]
    if (typeof n === "number") return n
    throw new Refused(`the length of axis ${axis}, ${n ?? "which it does not have"}, is decided when the model runs`)
  }
}

/** The row of an operator that computes each number from one. */
export const unary =
  (f: (x: Tensor.Tensor, call: Call) => Tensor.Tensor): Row =>
  (call) =>
    f(call.float(), call)

/** Logical negation. */
export const not = (condition: Tensor.Tensor): Tensor.Tensor => condition.float().equal(0)

/** A result of integers. */
export const int = (tensor: Tensor.Tensor): Result => ({ tensor: tensor.float(), kind: "int" })

/** A length that what an operator `does` with its axis depends on; throws `Refused` where each run decides it. */
export const settled = (length: Shape.Dimension, does: string): number => {
  if (typeof length === "number") return length
  throw new Refused(`it ${does} the axis «${length}», whose length each run decides`)
}

/** Product of dimensions; throws `Refused` where a named one is multiplied by others. */
export const product = (dimensions: Shape.Shape): Shape.Dimension => {
  const named = dimensions.filter((n) => typeof n === "string")
  const known = dimensions.reduce<number>((all, n) => (typeof n === "number" ? all * n : all), 1)
  if (named.length === 0) return known
  if (named.length === 1 && known === 1) return named[0]!
  throw new Refused(`it puts the axis «${named[0]}», whose length each run decides, together with others`)
}

/** A tensor filled with one number. */
export const filled = (value: number, shape: Shape.Shape): Tensor.Tensor => Tensor.constant(value).broadcastTo(shape)
