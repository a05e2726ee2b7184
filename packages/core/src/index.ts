/**
 * Relaxed Activation Identity as pure Effect programs over tensors.
 */
export * as Engine from "./engine/Engine.ts"
export * as ReferenceEngine from "./engine/reference/ReferenceEngine.ts"
export * as TfjsEngine from "./engine/tfjs/TfjsEngine.ts"
export * as Cost from "./program/Cost.ts"
export * as Gradient from "./program/Gradient.ts"
export * as Print from "./program/Print.ts"
export * as Program from "./program/Program.ts"
export * as Rewrite from "./program/Rewrite.ts"
export * as Simplify from "./program/Simplify.ts"
export * as NdArray from "./tensor/NdArray.ts"
export * as Primitives from "./tensor/primitives/Table.ts"
export * as Shape from "./tensor/Shape.ts"
export { ShapeMismatch } from "./tensor/ShapeMismatch.ts"
export * as Tensor from "./tensor/Tensor.ts"
