/**
 * The set-up of the judges: a virtual environment with other ONNX runtimes, and its location.
 */
import * as NativeLibrary from "@rai/core/native"
import { Console, Effect, FileSystem, Path, Schema } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"

/** The versions for which results are reported. */
const packages = ["onnx==1.23.2", "onnxruntime==1.32.0", "numpy==2.4.6", "opencv-python-headless==5.0.0.93"]

/** The environment does not exist, or could not be created. */
export class PythonMissing extends Schema.TaggedError<PythonMissing>()("PythonMissing", { reason: Schema.String }) {
  override get message(): string {
    return this.reason
  }
}

const places = Effect.gen(function* () {
  const path = yield* Path.Path
  const folder = path.join(yield* NativeLibrary.cache, "judges")
  return { folder, python: path.join(folder, "bin", "python") }
})

const command = (name: string, ...args: ReadonlyArray<string>) =>
  Effect.flatMap(ChildProcessSpawner.ChildProcessSpawner, (spawner) =>
    spawner.exitCode(ChildProcess.make(name, args, { stdout: "inherit", stderr: "inherit" }))
  )

/** Creates the environment, which downloads a hundred megabytes; fails with `PythonMissing` where pip does. */
export const setUp = Effect.gen(function* () {
  const { folder, python } = yield* places
  yield* command("python3", "-m", "venv", folder)
  const exitCode = yield* command(python, "-m", "pip", "install", "--quiet", ...packages)
  if (exitCode === 0) return yield* Console.log(`the judges are set up in ${folder}`)
  const reason = "expected pip to install the judges, but it did not; see its lines above"
  return yield* new PythonMissing({ reason })
})

/** The Python of the environment that `setUp` created; fails with `PythonMissing` where there is none. */
export const python = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const { folder, python } = yield* places
  if (yield* fs.exists(python)) return python
  const reason = `expected the judges' Python in ${folder}, but none is there; make it by npm run judge -- setup`
  return yield* new PythonMissing({ reason })
})
