/**
 * Circuits as ONNX models, with the record that proves parity.
 */
export * as Activations from "./Activations.ts"
export * as Agreement from "./Agreement.ts"
export * as Graph from "./Graph.ts"
export * as LayersModel from "./layers/LayersModel.ts"
export * as Metadata from "./Metadata.ts"
export * as Model from "./Model.ts"
export * as ModelFile from "./ModelFile.ts"
export * as Onnx from "./Onnx.ts"
export * as Onnxruntime from "./Onnxruntime.ts"
export * as Operators from "./Operators.ts"
export * as Parity from "./Parity.ts"
export * as Predict from "./Predict.ts"
export * as External from "./read/External.ts"
export * as Verify from "./Verify.ts"
export * as Weights from "./Weights.ts"
