/**
 * What a name in an ONNX graph stands for while the graph is read.
 */
import type { NdArray, Shape, Tensor } from "@rai/core"

/** What the elements are; numbers of either kind are computed with as `float`. */
export type Kind = "float" | "int" | "bool"

/** A value of the graph. */
export interface Value {
  readonly kind: Kind
  readonly shape: Shape.Shape
  /** The value as part of the formula; what is never asked for is no part of it. */
  readonly tensor: () => Tensor.Tensor
  /** Its numbers, where the model itself holds them. */
  readonly known?: NdArray.NdArray | undefined
  /** Whether nothing but these numbers can ever stand there, so that what is computed from them alone is known too. */
  readonly isFixed: boolean
}

/** Lengths that each run decides, as numbers that no length is, so that what computes shapes computes with them as with any other. */
const marked = 2 ** 40

/** Whether a number was computed from one of these, and is none of them. */
export const isComputed = (length: number, names: ReadonlyArray<string>): boolean =>
  length >= marked && typeof toDimension(length, names) === "number"

/** The number that stands for a dimension among the names of the graph. */
export const toNumber = (dimension: Shape.Dimension, names: ReadonlyArray<string>): number =>
  typeof dimension === "number" ? dimension : marked + names.indexOf(dimension)

/** The dimension that a number stands for. */
export const toDimension = (length: number, names: ReadonlyArray<string>): Shape.Dimension =>
  names[length - marked] ?? length
