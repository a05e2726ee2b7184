/**
 * The deep circuit as exported by this project and by PyTorch, both on onnxruntime.
 */
import { Circuit, Initializer, type Trained, version } from "@rai/core"
import { Onnx } from "@rai/export"
import { Effect, FileSystem, Path, Schema } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import type { Row } from "./Row.ts"

/** A Python whose PyTorch cannot export the network. */
export class NotExported extends Schema.TaggedError<NotExported>()("NotExported", { python: Schema.String }) {
  override get message(): string {
    return `expected ${this.python} to export a network by torch.onnx, but it did not; see its lines above, and set the peers up by npm run bench -- peers`
  }
}

const circuit = Circuit.perceptron([2, ...Array<number>(100).fill(100), 1], { activation: "sigmoid" })

/** A regression circuit, whose export has no classification head, as PyTorch's network has none. */
const trained: Trained.Trained = {
  circuit,
  parameters: Initializer.orthogonal(circuit, 0),
  task: "regression",
  inputNames: ["x1", "x2"],
  origin: { plan: "none", seed: 0, engine: "none", version }
}

const batches = [1, 64, 1000]

const question = (batch: number) =>
  `the exported deep circuit on onnxruntime, one thread, processor time, batches of ${batch}`

/** The questions of the rows. */
export const questions = batches.map(question)

/** Writes both models, which are removed when the scope closes, and returns the rows. */
export const rows = Effect.fn("Exported.rows")(function* (python: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "bench-" })
  const [ours, theirs] = [path.join(folder, "ours.onnx"), path.join(folder, "theirs.onnx")]
  yield* fs.writeFile(ours, yield* Onnx.make(trained))
  const script = new URL("torch_onnx.py", import.meta.url).pathname
  const exitCode = yield* spawner.exitCode(
    ChildProcess.make(python, [script, ours, theirs], { stdout: "ignore", stderr: "inherit" })
  )
  if (exitCode !== 0) return yield* new NotExported({ python })
  return batches.map((batch): Row => {
    const args = (round: number) => [
      new URL("runs.ts", import.meta.url).pathname,
      ours,
      theirs,
      String(batch),
      String(round)
    ]
    return {
      question: question(batch),
      unit: "runs/s",
      together: true,
      of: ({ says }, name) => says[name] ?? Number.NaN,
      contestants: ["rai", "torch.onnx"].map((name) => ({ name, command: process.execPath, args }))
    }
  })
})
