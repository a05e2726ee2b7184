/**
 * The reading of imported models, for checks against ONNX's official operator tests.
 */
export * as OperatorCase from "./OperatorCase.ts"
export * as Operators from "./Operators.ts"
