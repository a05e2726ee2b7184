/**
 * An engine on onnxruntime.
 */
export * as OnnxEngine from "./OnnxEngine.ts"
