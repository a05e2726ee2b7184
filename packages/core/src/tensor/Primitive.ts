/**
 * One row of the table of primitives.
 */
import type { DType } from "./DType.ts"
import type { Shape } from "./Shape.ts"
import type { Tensor } from "./Tensor.ts"

/** The fixed settings of an operation, printable. */
export type Attributes = Readonly<Record<string, number | boolean | string | ReadonlyArray<number | string>>>

/** What a row sees of an operand: its shape and type. */
export interface Signature {
  readonly shape: Shape
  readonly dtype: DType
}

/** One operation with ONNX semantics: everything that an engine does not decide. */
export interface Primitive {
  readonly name: string
  /** The result's shape; throws `ShapeMismatch`. */
  readonly shape: (operands: ReadonlyArray<Signature>, attributes: Attributes) => Shape
  /** The types of the operands, in their order, or any one type for all of them; float where absent. */
  readonly takes?: ReadonlyArray<DType> | "same"
  /** The result's type; float where absent. */
  readonly dtype?: (operands: ReadonlyArray<Signature>, attributes: Attributes) => DType
  /** Reverse mode: returns the gradients of the operands, in their order, from the gradient g of the result y; undefined where none flows. */
  readonly derivative: (g: Tensor, y: Tensor) => ReadonlyArray<Tensor | undefined>
  /** Floating-point operations: of the whole result if a function, else per element of the result. */
  readonly cost: number | ((operands: ReadonlyArray<ReadonlyArray<number>>, result: ReadonlyArray<number>) => number)
  /** How far engines may differ: |a − b| ≤ tolerance · (1 + |b|). */
  readonly tolerance: number
  /** A composite: its definition in other primitives, which an engine may override with one fused kernel. */
  readonly definition?: (operands: ReadonlyArray<Tensor>, attributes: Attributes) => Tensor
}
