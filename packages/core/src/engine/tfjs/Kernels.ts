/**
 * Each primitive as a kernel of TensorFlow.js, by the name under which every backend of it registers one.
 */
import type * as tf from "@tensorflow/tfjs-core"
import type { Attributes } from "../../tensor/Primitive.ts"

/** Calls a kernel of the active backend. */
export type Call = (
  kernel: string,
  inputs: Readonly<Record<string, tf.Tensor>> | ReadonlyArray<tf.Tensor>,
  attributes?: Readonly<Record<string, unknown>>
) => tf.Tensor

type Kernel = (
  call: Call,
  operands: ReadonlyArray<tf.Tensor>,
  shape: ReadonlyArray<number>,
  attributes: Attributes
) => tf.Tensor

const unary =
  (name: string): Kernel =>
  (call, [x]) =>
    call(name, { x: x! })

const binary =
  (name: string): Kernel =>
  (call, [a, b]) =>
    call(name, { a: a!, b: b! })

const reshape: Kernel = (call, [x], shape) => call("Reshape", { x: x! }, { shape })

export const kernels: Readonly<Record<string, Kernel>> = {
  neg: unary("Neg"),
  abs: unary("Abs"),
  sign: unary("Sign"),
  square: unary("Square"),
  sqrt: unary("Sqrt"),
  exp: unary("Exp"),
  log: unary("Log"),
  sigmoid: unary("Sigmoid"),
  tanh: unary("Tanh"),
  relu: unary("Relu"),
  softplus: unary("Softplus"),
  clip: (call, [x], _, { minimum, maximum }) =>
    call("ClipByValue", { x: x! }, { clipValueMin: minimum, clipValueMax: maximum }),
  add: binary("Add"),
  sub: binary("Sub"),
  mul: binary("Multiply"),
  div: binary("RealDiv"),
  maximum: binary("Maximum"),
  minimum: binary("Minimum"),
  greater: binary("Greater"),
  equal: binary("Equal"),
  where: (call, [condition, t, e]) => call("Select", { condition: condition!, t: t!, e: e! }),
  cast: (call, [x], _, { to }) => call("Cast", { x: x! }, { dtype: to === "float" ? "float32" : "int32" }),
  sum: (call, [x], _, { axes }) => call("Sum", { x: x! }, { axis: axes, keepDims: true }),
  max: (call, [x], _, { axes }) => call("Max", { x: x! }, { reductionIndices: axes, keepDims: true }),
  argMax: (call, [x], shape, { axes }) => {
    const index = call("ArgMax", { x: x! }, { axis: (axes as ReadonlyArray<number>)[0] })
    const kept = call("Reshape", { x: index }, { shape })
    index.dispose()
    return kept
  },
  reshape,
  transpose: (call, [x], _, { permutation }) => call("Transpose", { x: x! }, { perm: permutation }),
  broadcast: (call, [x], shape, attributes) => {
    const padded = [...shape.slice(x!.shape.length).fill(1), ...x!.shape]
    const view = reshape(call, [x!], padded, attributes)
    const tiled = call("Tile", { x: view }, { reps: shape.map((n, axis) => n / padded[axis]!) })
    view.dispose()
    return tiled
  },
  concat: (call, operands, _, { axis }) => call("Concat", operands, { axis }),
  slice: (call, [x], shape, { axis, start }) =>
    call("Slice", { x: x! }, { begin: shape.map((_, along) => (along === axis ? start : 0)), size: shape }),
  pad: (call, [x], shape, { axis, before, after }) =>
    call("PadV2", { x: x! }, { paddings: shape.map((_, along) => (along === axis ? [before, after] : [0, 0])), constantValue: 0 }),
  matMul: (call, [a, b], _, { transposeA, transposeB }) =>
    call("BatchMatMul", { a: a!, b: b! }, { transposeA, transposeB })
}
