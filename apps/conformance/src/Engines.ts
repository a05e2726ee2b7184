/**
 * The engines that cases run on.
 */
import { ReferenceEngine, TfjsEngine } from "@rai/core"
import { OperatorCase } from "@rai/export/reading"
import { OnnxEngine } from "@rai/onnx-engine"
import { Effect } from "effect"

const layers = {
  reference: ReferenceEngine.layer,
  "tfjs-native": TfjsEngine.layerNative,
  "tfjs-wasm": TfjsEngine.layerWasm,
  onnx: OnnxEngine.layer
}

/** An engine's name. */
export type Name = keyof typeof layers

/** The names of all engines. */
export const names = Object.keys(layers) as ReadonlyArray<Name>

/** Runs the cases on an engine and returns the outcome of each. */
export const run = (name: Name, cases: ReadonlyArray<OperatorCase.OperatorCase>) =>
  Effect.forEach(cases, OperatorCase.run).pipe(Effect.provide(layers[name]))
