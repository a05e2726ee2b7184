/**
 * What a name in an ONNX graph stands for while the graph is read.
 */
import type { NdArray, Shape, Tensor } from "@rai/core"
import { axisOf } from "./JoinedAxis.ts"

/** Kind of the elements; floats and integers alike are computed with as `float`. */
export type Kind = "float" | "int" | "bool"

/** A value of the graph. */
export interface Value {
  readonly kind: Kind
  readonly shape: Shape.Shape
  /** The value as part of the formula; one that is never asked for is no part of it. */
  readonly tensor: () => Tensor.Tensor
  /** Its numbers, where they are known while the graph is read. */
  readonly known?: NdArray.NdArray | undefined
  /** Whether these numbers can never change, so that whatever is computed from them alone is known too. */
  readonly isFixed: boolean
}

/**
 * First of the numbers that stand for lengths which each run decides: no real length is as large, so shapes are computed with them as with any
 * other.
 */
const marked = 2 ** 40

/** Whether a number was computed from such a stand-in and is none itself. */
export const isComputed = (length: number, names: ReadonlyArray<string>): boolean =>
  length >= marked && typeof toDimension(length, names) === "number"

/** For a number that was computed as a multiple of such a stand-in: how many times it is that. */
export const multiple = (length: number, names: ReadonlyArray<string>): number | undefined =>
  names.map((_, i) => length / (marked + i)).find((times) => times > 1 && Number.isInteger(times))

/** Number that stands for a dimension, among the names of the graph. */
export const toNumber = (dimension: Shape.Dimension, names: ReadonlyArray<string>): number => {
  if (typeof dimension === "number") return dimension
  const { after, before, name } = axisOf(dimension)
  return before * after * (marked + names.indexOf(name))
}

/** Dimension that a number stands for. */
export const toDimension = (length: number, names: ReadonlyArray<string>): Shape.Dimension =>
  names[length - marked] ?? length
