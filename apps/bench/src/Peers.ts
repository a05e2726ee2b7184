/**
 * The set-up of the peers: a virtual environment with PyTorch, JAX, scikit-learn and a web server, and its location.
 */
import * as NativeLibrary from "@rai/core/native"
import { Console, Effect, FileSystem, Path } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"

/** The versions for which results are reported. */
const packages = [
  ...["torch==2.13.0", "jax==0.10.2", "numpy", "scikit-learn"],
  // Required by torch.onnx for its export.
  ...["onnx==1.23.2", "onnxscript==0.7.2"],
  ...["onnxruntime==1.30.0", "fastapi==0.165.0", "uvicorn==0.54.0", "uvloop", "httptools", "orjson"]
]

const places = Effect.gen(function* () {
  const path = yield* Path.Path
  const folder = path.join(yield* NativeLibrary.cache, "peers")
  return { folder, python: path.join(folder, "bin", "python") }
})

const command = (name: string, ...args: ReadonlyArray<string>) =>
  Effect.flatMap(ChildProcessSpawner.ChildProcessSpawner, (spawner) =>
    spawner.exitCode(ChildProcess.make(name, args, { stdout: "inherit", stderr: "inherit" }))
  )

/** Creates the environment, which downloads a gigabyte. */
export const setUp = Effect.gen(function* () {
  const { folder, python } = yield* places
  yield* command("python3", "-m", "venv", folder)
  const exitCode = yield* command(python, "-m", "pip", "install", "--quiet", ...packages)
  yield* exitCode === 0
    ? Console.log(`the peers are set up in ${folder}`)
    : Console.error("expected pip to install the peers, but it did not; see its lines above")
})

/** The Python of the environment that `setUp` created; undefined where there is none. */
export const python = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const { python } = yield* places
  return (yield* fs.exists(python)) ? python : undefined
})
