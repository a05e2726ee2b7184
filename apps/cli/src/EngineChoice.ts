/**
 * The engine that `--engine` names.
 */
import { type Engine, ReferenceEngine, TfjsEngine } from "@rai/core"
import { OnnxEngine } from "@rai/onnx-engine"
import type { Layer } from "effect"

/** The engine for small computations: libtensorflow where it is set up, else WebAssembly with a line that says so. */
export const usual = TfjsEngine.layer

/** The engines by their names. */
export const table = {
  "tfjs-native": TfjsEngine.layerNative,
  "tfjs-wasm": TfjsEngine.layerWasm,
  onnx: OnnxEngine.layer,
  reference: ReferenceEngine.layer
}

/** The values of `--device`. */
export const devices = ["cpu", "cuda"] as const

/** The named engine on a device; CUDA always means onnxruntime. */
export const on = (
  name: Name,
  device: (typeof devices)[number] = "cpu"
): Layer.Layer<Engine.Engine, Layer.Error<(typeof table)[Name]> | OnnxEngine.DeviceMissing> =>
  device === "cuda" ? OnnxEngine.layerCuda : table[name]

/** The name of an engine. */
export type Name = keyof typeof table

/** The values of `--engine`; `auto` is resolved by `FastestEngine`. */
export const names = ["auto", ...(Object.keys(table) as ReadonlyArray<Name>)] as const
