/**
 * Each primitive as ONNX operators, one row each; broadcasting is left to operators that do it themselves.
 */
import type { Shape, Tensor } from "@rai/core"
import { Schema } from "effect"
import { type Attributes, dataTypes } from "./Model.ts"

/** A primitive that has no row here. */
export class OperatorUnsupported extends Schema.TaggedError<OperatorUnsupported>()("OperatorUnsupported", {
  operator: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `expected primitives that ONNX export knows (${this.known.join(", ")}), but «${this.operator}» came; write the stage with these, or give the primitive a definition`
  }
}

/** The last operator of a row; the graph names its result. */
export interface Operation {
  readonly operator: string
  readonly inputs: ReadonlyArray<string>
  readonly attributes?: Attributes
}

/** Adds to the graph what a row needs before its last operator; each method returns the name of the value. */
export interface Builder {
  /** Operator set that the graph is written in. */
  readonly opset: number
  readonly add: (operation: Operation) => string
  readonly integers: (values: ReadonlyArray<number>) => string
  readonly float: (value: number) => string
  readonly floats: (values: ReadonlyArray<number>) => string
  /** Dimensions as a value, named ones read from the inputs when the model runs. */
  readonly dimensions: (shape: Shape.Shape) => string
}

type Row = (builder: Builder, operands: ReadonlyArray<string>, node: Tensor.Tensor) => Operation

const plain =
  (operator: string): Row =>
  (_, inputs) => ({ operator, inputs })

/** Axes are an input of ReduceSum in all supported operator sets, of the other reductions from 18 on. */
const reduction =
  (operator: string): Row =>
  ({ integers, opset }, [x], { attributes }) => {
    const axes = attributes.axes as ReadonlyArray<number>
    return operator !== "ReduceSum" && opset < 18
      ? { operator, inputs: [x!], attributes: { axes, keepdims: 1 } }
      : { operator, inputs: [x!, integers(axes)], attributes: { keepdims: 1 } }
  }

const isNaN = ({ add }: Builder, x: string): string => add({ operator: "IsNaN", inputs: [x] })

/** Attributes of Gemm for the factors of a product; none where neither is transposed. */
export const transposed = ({ attributes: { transposeA, transposeB } }: Tensor.Tensor): Attributes =>
  transposeA || transposeB ? { transA: Number(transposeA), transB: Number(transposeB) } : {}

/** Primitives whose operators broadcast by themselves. */
const broadcasters: Readonly<Record<string, Row>> = {
  add: plain("Add"),
  sub: plain("Sub"),
  mul: plain("Mul"),
  div: plain("Div"),
  maximum: plain("Max"),
  minimum: plain("Min"),
  greater: plain("Greater"),
  equal: plain("Equal"),
  where: plain("Where")
}

const rows: Readonly<Record<string, Row>> = {
  neg: plain("Neg"),
  abs: plain("Abs"),
  sign: plain("Sign"),
  square: (_, [x]) => ({ operator: "Mul", inputs: [x!, x!] }),
  sqrt: plain("Sqrt"),
  exp: plain("Exp"),
  log: plain("Log"),
  sigmoid: plain("Sigmoid"),
  tanh: plain("Tanh"),
  relu: plain("Relu"),
  softplus: plain("Softplus"),
  elu: plain("Elu"),
  erf: plain("Erf"),
  // A composite with an operator of its own; the last axis is the default.
  softmax: plain("Softmax"),
  clip: ({ float }, [x], { attributes }) => ({
    operator: "Clip",
    inputs: [x!, float(attributes.minimum as number), float(attributes.maximum as number)]
  }),
  ...broadcasters,
  cast: (_, [x], { dtype }) => ({ operator: "Cast", inputs: [x!], attributes: { to: dataTypes[dtype] } }),
  sum: reduction("ReduceSum"),
  // onnxruntime ignores a NaN unless it comes first, and then takes it for the largest. Here `max` is NaN wherever an element is, and `argMax`
  // passes over NaN.
  max: (builder, [x], node) => {
    const largest = builder.add(reduction("ReduceMax")(builder, [x!], node))
    const missing = builder.add({ operator: "Cast", inputs: [isNaN(builder, x!)], attributes: { to: dataTypes.float } })
    const any = builder.add(reduction("ReduceMax")(builder, [missing], node))
    const condition = builder.add({ operator: "Greater", inputs: [any, builder.float(0)] })
    return { operator: "Where", inputs: [condition, builder.float(Number.NaN), largest] }
  },
  argMax: (builder, [x], { attributes }) => {
    const numbers = [isNaN(builder, x!), builder.float(Number.NEGATIVE_INFINITY), x!]
    return {
      operator: "ArgMax",
      inputs: [builder.add({ operator: "Where", inputs: numbers })],
      attributes: { axis: (attributes.axes as ReadonlyArray<number>)[0]!, keepdims: 1 }
    }
  },
  oneHot: ({ add, floats, integers }, [x], { attributes, shape }) => {
    const column = add({ operator: "Unsqueeze", inputs: [x!, integers([shape.length - 1])] })
    const numbers = floats(Array.from({ length: attributes.classes as number }, (_, k) => k))
    const found = add({ operator: "Equal", inputs: [column, numbers] })
    return { operator: "Cast", inputs: [found], attributes: { to: dataTypes.float } }
  },
  reshape: ({ dimensions, integers }, [x], { shape }) => {
    const named = shape.filter((n) => typeof n === "string").length
    const target = named === 1 ? integers(shape.map((n) => (typeof n === "string" ? -1 : n))) : dimensions(shape)
    return { operator: "Reshape", inputs: [x!, target] }
  },
  transpose: (_, [x], { attributes }) => ({
    operator: "Transpose",
    inputs: [x!],
    attributes: { perm: attributes.permutation as ReadonlyArray<number> }
  }),
  broadcast: ({ dimensions }, [x], { shape }) => ({ operator: "Expand", inputs: [x!, dimensions(shape)] }),
  concat: (_, inputs, { attributes }) => ({
    operator: "Concat",
    inputs,
    attributes: { axis: attributes.axis as number }
  }),
  slice: ({ integers }, [x], { attributes }) => {
    const { axis, end, start } = attributes as { axis: number; start: number; end: number }
    return { operator: "Slice", inputs: [x!, integers([start]), integers([end]), integers([axis])] }
  },
  // For every axis, as in the sets before 18: onnxruntime (1.30, 1.32) loses the `axes` of a Pad that it moves before a Transpose.
  pad: ({ float, integers }, [x], { attributes, shape }) => {
    const { after, axis, before } = attributes as { axis: number; before: number; after: number }
    const along = (zeros: number) => shape.map((_, i) => (i === axis ? zeros : 0))
    return { operator: "Pad", inputs: [x!, integers([...along(before), ...along(after)]), float(0)] }
  },
  matMul: ({ add }, [a, b], node) => {
    const { attributes, operands, shape } = node
    const { transposeA, transposeB } = attributes
    if (!transposeA && !transposeB) return { operator: "MatMul", inputs: [a!, b!] }
    if (shape.length === 2) {
      return {
        operator: "Gemm",
        inputs: [a!, b!],
        attributes: transposed(node)
      }
    }
    const exchanged = (x: string, { shape: { length } }: Tensor.Tensor) => {
      const perm = [...Array.from({ length: length - 2 }, (_, axis) => axis), length - 1, length - 2]
      return add({ operator: "Transpose", inputs: [x], attributes: { perm } })
    }
    const left = transposeA ? exchanged(a!, operands[0]!) : a!
    const right = transposeB ? exchanged(b!, operands[1]!) : b!
    return { operator: "MatMul", inputs: [left, right] }
  }
}

/** Every primitive that can be exported, by its name, and the composites that have an operator of their own. */
export const table: ReadonlyMap<string, Row> = new Map(Object.entries(rows))

/** Names of the primitives whose operators broadcast by themselves. */
export const broadcasting: ReadonlySet<string> = new Set(Object.keys(broadcasters))
