/**
 * Every primitive as a plain float64 loop: slow and obvious, the arbiter of what the other engines should compute.
 */
import type { Attributes } from "../../tensor/Primitive.ts"
import * as Erf from "./Erf.ts"
import * as Product from "./Product.ts"

/** An array: computed ones are float64, given ones may be float32; conditions are 1 and 0. */
export interface Values {
  readonly shape: ReadonlyArray<number>
  readonly data: Product.Numbers
}

type Kernel = (operands: ReadonlyArray<Values>, shape: ReadonlyArray<number>, attributes: Attributes) => Product.Numbers

const size = (shape: ReadonlyArray<number>): number => shape.reduce((a, b) => a * b, 1)

const strides = (shape: ReadonlyArray<number>): ReadonlyArray<number> => shape.map((_, i) => size(shape.slice(i + 1)))

/** Calls `visit` with each index of `shape` in row-major order. */
const each = (shape: ReadonlyArray<number>, visit: (index: ReadonlyArray<number>, position: number) => void): void => {
  const index = shape.map(() => 0)
  const total = size(shape)
  for (let position = 0; position < total; position++) {
    visit(index, position)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++
      if (index[axis]! < shape[axis]!) break
      index[axis] = 0
    }
  }
}

const offset = (index: ReadonlyArray<number>, stride: ReadonlyArray<number>): number =>
  index.reduce((sum, i, axis) => sum + i * stride[axis]!, 0)

const elementwise =
  (f: (...numbers: ReadonlyArray<number>) => number): Kernel =>
  (operands) =>
    new Float64Array(operands[0]!.data).map((_, i) => f(...operands.map(({ data }) => data[i]!)))

/** result[index] = operand[from(index)] */
const gather =
  (from: (index: ReadonlyArray<number>, attributes: Attributes, x: Values) => ReadonlyArray<number>): Kernel =>
  ([x], shape, attributes) => {
    const result = new Float64Array(size(shape))
    const stride = strides(x!.shape)
    each(shape, (index, position) => {
      result[position] = x!.data[offset(from(index, attributes, x!), stride)]!
    })
    return result
  }

const reduce =
  (initial: number, f: (accumulated: number, x: number) => number): Kernel =>
  ([x], shape) => {
    const result = new Float64Array(size(shape)).fill(initial)
    const stride = strides(shape).map((step, axis) => (shape[axis] === 1 ? 0 : step))
    each(x!.shape, (index, position) => {
      const at = offset(index, stride)
      result[at] = f(result[at]!, x!.data[position]!)
    })
    return result
  }

/** A slice along the first axis is contiguous, so it needs no copy. */
const leading = ({ data }: Values, shape: ReadonlyArray<number>, start: number): Product.Numbers => {
  const step = size(shape.slice(1))
  return data.subarray(start * step, start * step + size(shape))
}

const within = gather((index, { axis, start }) => index.map((i, along) => (along === axis ? i + (start as number) : i)))

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

export const kernels: Readonly<Record<string, Kernel>> = {
  neg: elementwise((x) => -x!),
  abs: elementwise((x) => Math.abs(x!)),
  sign: elementwise((x) => Math.sign(x!)),
  square: elementwise((x) => x! * x!),
  sqrt: elementwise((x) => Math.sqrt(x!)),
  exp: elementwise((x) => Math.exp(x!)),
  log: elementwise((x) => Math.log(x!)),
  sigmoid: elementwise((x) => sigmoid(x!)),
  tanh: elementwise((x) => Math.tanh(x!)),
  relu: elementwise((x) => Math.max(x!, 0)),
  softplus: elementwise((x) => Math.max(x!, 0) + Math.log1p(Math.exp(-Math.abs(x!)))),
  elu: elementwise((x) => (x! > 0 ? x! : Math.expm1(x!))),
  erf: elementwise((x) => Erf.erf(x!)),
  clip: ([x], _, { minimum, maximum }) =>
    new Float64Array(x!.data).map((value) => Math.min(Math.max(value, minimum as number), maximum as number)),
  add: elementwise((a, b) => a! + b!),
  sub: elementwise((a, b) => a! - b!),
  mul: elementwise((a, b) => a! * b!),
  div: elementwise((a, b) => a! / b!),
  maximum: elementwise((a, b) => Math.max(a!, b!)),
  minimum: elementwise((a, b) => Math.min(a!, b!)),
  greater: elementwise((a, b) => Number(a! > b!)),
  equal: elementwise((a, b) => Number(a === b)),
  where: elementwise((condition, a, b) => (condition ? a! : b!)),
  cast: ([x], _, { to }) => (to === "int" ? x!.data.map(Math.trunc) : x!.data),
  sum: reduce(0, (a, x) => a + x),
  max: reduce(Number.NEGATIVE_INFINITY, Math.max),
  argMax: ([x], shape, { axes }) => {
    const axis = (axes as ReadonlyArray<number>)[0]!
    const result = new Float64Array(size(shape))
    const stride = strides(x!.shape)
    each(shape, (index, position) => {
      let best = Number.NEGATIVE_INFINITY
      for (let i = 0; i < x!.shape[axis]!; i++) {
        const value = x!.data[offset(index.with(axis, i), stride)]!
        if (value > best) {
          best = value
          result[position] = i
        }
      }
    })
    return result
  },
  oneHot: ([x], shape, { classes }) => {
    const result = new Float64Array(size(shape))
    x!.data.forEach((value, i) => {
      if (Number.isInteger(value) && value >= 0 && value < (classes as number))
        result[i * (classes as number) + value] = 1
    })
    return result
  },
  reshape: ([x]) => x!.data,
  transpose: gather((index, { permutation }) => {
    const axes = permutation as ReadonlyArray<number>
    return axes.map((_, axis) => index[axes.indexOf(axis)]!)
  }),
  broadcast: gather((index, _, x) =>
    x.shape.map((n, axis) => (n === 1 ? 0 : index[axis + index.length - x.shape.length]!))
  ),
  slice: (operands, shape, attributes) =>
    attributes.axis === 0
      ? leading(operands[0]!, shape, attributes.start as number)
      : within(operands, shape, attributes),
  pad: ([x], shape, { axis, before }) => {
    const result = new Float64Array(size(shape))
    const stride = strides(shape)
    each(x!.shape, (index, position) => {
      result[offset(index, stride) + (before as number) * stride[axis as number]!] = x!.data[position]!
    })
    return result
  },
  concat: (operands, shape, { axis }) => {
    const result = new Float64Array(size(shape))
    const stride = strides(shape)
    let start = 0
    for (const { shape: part, data } of operands) {
      each(part, (index, position) => {
        result[offset(index, stride) + start * stride[axis as number]!] = data[position]!
      })
      start += part[axis as number]!
    }
    return result
  },
  matMul: ([a, b], shape, { transposeA, transposeB }) => {
    const [n, m] = [shape.at(-2)!, shape.at(-1)!]
    const depth = a!.shape.at(transposeA ? -2 : -1)!
    const result = new Float64Array(size(shape))
    for (let batch = 0; batch < size(shape.slice(0, -2)); batch++) {
      const left = transposeA ? { rows: 1, columns: n } : { rows: depth, columns: 1 }
      const right = transposeB ? { rows: 1, columns: depth } : { rows: m, columns: 1 }
      Product.write(
        { data: a!.data, start: batch * n * depth, ...left },
        { data: b!.data, start: batch * depth * m, ...right },
        [n, depth, m],
        result,
        batch * n * m
      )
    }
    return result
  }
}
