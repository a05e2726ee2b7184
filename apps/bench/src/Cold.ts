/**
 * Files for the cold-start and serving benchmarks: a folder with exported models, and an input point for one of them.
 */
import { Circuit, CircuitSpec, Moons, NdArray, PlanSpec, type Trained, Training, version } from "@rai/core"
import { Onnx } from "@rai/export"
import { OnnxEngine } from "@rai/onnx-engine"
import { Effect, FileSystem, Path } from "effect"

/** The files of the benchmarks. */
export interface Cold {
  readonly folder: string
  readonly model: string
  readonly inputs: string
  /** The model file of each served circuit. */
  readonly served: Readonly<Record<Served, string>>
}

/** The names of the served circuits. */
export type Served = keyof typeof widths

const widths = { small: "2,16,1", deep: "2,100x100,1" }

const trained: Trained.Trained = {
  circuit: Circuit.linear(2, 1),
  parameters: { weight: NdArray.make([2, 1], [1, -1]), bias: NdArray.make([1], [0.5]) },
  task: "binary",
  inputNames: ["x1", "x2"],
  origin: { plan: "by hand", seed: 0, engine: "none", version }
}

/** Writes the files, which are removed when the scope closes. */
export const make = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "bench-" })
  const [model, inputs] = [path.join(folder, "model.onnx"), path.join(folder, "inputs.csv")]
  yield* Onnx.write(trained, model)
  yield* fs.writeFileString(inputs, "x1,x2\n0.1,0.2\n")
  const data = yield* Moons.make({ examples: 100, noise: 0.1, seed: 42 })
  const plan = yield* PlanSpec.parse("backpropagate:1:rprop=0.001")
  const serve = Effect.fnUntraced(function* (name: Served) {
    const circuit = Circuit.perceptron(yield* CircuitSpec.widths(widths[name]), { activation: "tanh" })
    const file = path.join(folder, name, "model.onnx")
    yield* fs.makeDirectory(path.dirname(file))
    yield* Onnx.write(yield* Training.fit(circuit, data, { plan, seed: 0 }), file)
    return file
  })
  const cold: Cold = { folder, model, inputs, served: { small: yield* serve("small"), deep: yield* serve("deep") } }
  return cold
}).pipe(Effect.provide(OnnxEngine.layer))
