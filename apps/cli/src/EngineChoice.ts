/**
 * The engine that `--engine` names.
 */
import { ReferenceEngine, TfjsEngine } from "@rai/core"
import { OnnxEngine } from "@rai/onnx-engine"

/** `auto` is libtensorflow where it is set up, else WebAssembly with a line that says so. */
export const table = {
  auto: TfjsEngine.layer,
  "tfjs-native": TfjsEngine.layerNative,
  "tfjs-wasm": TfjsEngine.layerWasm,
  onnx: OnnxEngine.layer,
  reference: ReferenceEngine.layer
}

/** What `--engine` takes. */
export type Name = keyof typeof table

/** The names, `auto` first. */
export const names = Object.keys(table) as ReadonlyArray<Name>
