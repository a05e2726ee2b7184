/**
 * What commands are given whose start is measured: a folder with an exported model, and a point for it.
 */
import { Circuit, NdArray, type Trained, version } from "@rai/core"
import { Onnx } from "@rai/export"
import { OnnxEngine } from "@rai/onnx-engine"
import { Effect, FileSystem, Path } from "effect"

/** The files. */
export interface Cold {
  readonly folder: string
  readonly model: string
  readonly inputs: string
}

const trained: Trained.Trained = {
  circuit: Circuit.linear(2, 1),
  parameters: { weight: NdArray.make([2, 1], [1, -1]), bias: NdArray.make([1], [0.5]) },
  task: "binary",
  inputNames: ["x1", "x2"],
  origin: { plan: "by hand", seed: 0, engine: "none", version }
}

/** Writes them; they go with the scope. */
export const make = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "bench-" })
  const [model, inputs] = [path.join(folder, "model.onnx"), path.join(folder, "inputs.csv")]
  yield* Onnx.write(trained, model)
  yield* fs.writeFileString(inputs, "x1,x2\n0.1,0.2\n")
  const cold: Cold = { folder, model, inputs }
  return cold
}).pipe(Effect.provide(OnnxEngine.layer))
