/**
 * Each primitive as a kernel of TensorFlow.js, by the name under which all of its backends register it.
 */
import type * as tf from "@tensorflow/tfjs-core"
import type { Attributes } from "../../tensor/Primitive.ts"

/** Calls a kernel of the active backend. */
export type Call = (
  kernel: string,
  inputs: Readonly<Record<string, tf.Tensor>> | ReadonlyArray<tf.Tensor>,
  attributes?: Readonly<Record<string, unknown>>
) => tf.Tensor

/** A primitive on tensors: the caller keeps the operands, and the result has the `shape` that the program says. */
export type Kernel = (
  call: Call,
  operands: ReadonlyArray<tf.Tensor>,
  shape: ReadonlyArray<number>,
  attributes: Attributes
) => tf.Tensor

/** One that may call `release`, which disposes of the operands that nothing uses afterwards, before it writes its result: into their memory. */
export type InPlace = (...given: [...Parameters<Kernel>, release: () => void]) => tf.Tensor

const freeing = (result: tf.Tensor, ...used: ReadonlyArray<tf.Tensor>): tf.Tensor => {
  for (const tensor of used) tensor.dispose()
  return result
}

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
  elu: unary("Elu"),
  erf: unary("Erf"),
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
  // The WebAssembly kernel leaves the memory untouched when there is nothing to sum.
  sum: (call, [x], shape, { axes }) =>
    x!.size === 0
      ? call("Fill", {}, { shape, value: 0, dtype: "float32" })
      : call("Sum", { x: x! }, { axis: axes, keepDims: true }),
  max: (call, [x], _, { axes }) => call("Max", { x: x! }, { reductionIndices: axes, keepDims: true }),
  argMax: (call, [x], shape, { axes }) => {
    const index = call("ArgMax", { x: x! }, { axis: (axes as ReadonlyArray<number>)[0] })
    const kept = call("Reshape", { x: index }, { shape })
    index.dispose()
    return kept
  },
  oneHot: (call, [x], shape, { classes }) => {
    const column = call("Reshape", { x: x! }, { shape: [...shape.slice(0, -1), 1] })
    const numbers = call("Range", {}, { start: 0, stop: classes, step: 1, dtype: "float32" })
    const found = call("Equal", { a: column, b: numbers })
    return freeing(call("Cast", { x: found }, { dtype: "float32" }), column, numbers, found)
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
    call(
      "PadV2",
      { x: x! },
      { paddings: shape.map((_, along) => (along === axis ? [before, after] : [0, 0])), constantValue: 0 }
    ),
  matMul: (call, [a, b], _, { transposeA, transposeB }) =>
    call("BatchMatMul", { a: a!, b: b! }, { transposeA, transposeB })
}

/** `otherwise`, which is disposed of, but NaN where `tested` is NaN. */
const unlessNaN = (call: Call, tested: tf.Tensor, otherwise: tf.Tensor): tf.Tensor => {
  const condition = call("Equal", { a: tested, b: tested })
  return freeing(call("Select", { condition, t: otherwise, e: tested }), condition, otherwise)
}

// WebAssembly's own Sign treats everything below 1e-7 as zero, where Rprop would stand still.
const sign: Kernel = (call, [x]) => {
  const opposite = call("Neg", { x: x! })
  const [above, below] = [call("Step", { x: x! }, { alpha: 0 }), call("Step", { x: opposite }, { alpha: 0 })]
  return freeing(call("Sub", { a: above, b: below }), opposite, above, below)
}

const keepsNaN =
  (kernel: Kernel): Kernel =>
  (call, [x], shape, attributes) =>
    unlessNaN(call, x!, kernel(call, [x!], shape, attributes))

// These WebAssembly kernels return NaN only if the first operand is NaN, so each is called with both orders.
const keepsEitherNaN =
  (name: string): Kernel =>
  (call, [a, b]) => {
    const turned = call(name, { a: b!, b: a! })
    return freeing(unlessNaN(call, turned, call(name, { a: a!, b: b! })), turned)
  }

/** The kernels for WebAssembly, with those fixed that lose NaN or small numbers. */
export const wasmKernels: Readonly<Record<string, Kernel>> = {
  ...kernels,
  sign,
  clip: keepsNaN(kernels.clip!),
  maximum: keepsEitherNaN("Maximum"),
  minimum: keepsEitherNaN("Minimum")
}

/** The primitives whose kernels broadcast by themselves on every backend. */
export const broadcasting: ReadonlySet<string> = new Set([
  "add",
  "sub",
  "mul",
  "div",
  "maximum",
  "minimum",
  "greater",
  "equal"
])
