/**
 * Installs the files of onnxruntime's CUDA provider, which no npm package includes, where the runtime looks for them.
 */
import { fileURLToPath } from "node:url"
import * as NativeLibrary from "@rai/core/native"
import { CudaProvider } from "@rai/serving"
import { Effect, FileSystem, Path, Schema } from "effect"
import type * as StepLines from "./StepLines.ts"

/** The provider cannot be fetched here. */
export class CudaNotInstalled extends Schema.TaggedError<CudaNotInstalled>()("CudaNotInstalled", {
  reason: Schema.String
}) {
  override get message(): string {
    return `expected to fetch onnxruntime's CUDA provider, but ${this.reason}`
  }
}

// Must be the release of the npm package, whose library loads these files.
const pinned: NativeLibrary.Wheel.Wheel = {
  name: "onnxruntime-gpu",
  version: "1.30.0",
  sha256: "4fbf0c5d7b5fb99266c2e8a802e3e64af68bdc383e0f3c7349b985f1087eedaa",
  python: "3.11",
  abi: "cp311",
  platform: "manylinux_2_28_x86_64"
}

const fromWheel = Effect.fnUntraced(function* (python: string, onStep: StepLines.OnStep) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const cache = yield* NativeLibrary.cache
  const folder = path.join(cache, NativeLibrary.Wheel.folderName(pinned))
  if (!(yield* fs.exists(folder))) {
    const wheel = yield* NativeLibrary.Wheel.download(pinned, python, cache, (received, total) =>
      onStep("downloading 250 MB", total === undefined ? undefined : received / total)
    )
    yield* onStep("extracting")
    const wanted = CudaProvider.files.map((file) => `onnxruntime/capi/${file}`)
    yield* NativeLibrary.Wheel.extract(python, wheel, { folder, wanted })
  }
  const target = fileURLToPath(CudaProvider.folder())
  for (const file of CudaProvider.files) {
    yield* NativeLibrary.Wheel.place(path.join(folder, "capi", file), path.join(target, file))
  }
  return "the wheel onnxruntime-gpu"
})

/** Runs the install script that ships with onnxruntime-node, which fetches the files from NuGet without verifying a checksum. */
const fromNuget = Effect.fnUntraced(function* (onStep: StepLines.OnStep) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const cwd = fileURLToPath(CudaProvider.packageFolder())
  const script = path.join(cwd, "script", "install.js")
  if (!(yield* fs.exists(script)))
    return yield* new CudaNotInstalled({ reason: "onnxruntime-node's own script is not here" })
  yield* onStep("asking NuGet")
  // The bare flag: given a list of files, the script acts as if the flag were absent, and under `npm run` then fetches nothing.
  yield* NativeLibrary.Tool.run(process.execPath, [script, "--onnxruntime-node-install"], { cwd })
  const missing = CudaProvider.missing()
  if (missing !== undefined)
    return yield* new CudaNotInstalled({ reason: `onnxruntime-node's own script left ${missing} out` })
  return "NuGet"
})

/** Fetches the missing files and returns their source; undefined where none were missing. */
export const install = Effect.fn("CudaInstall.install")(function* (onStep: StepLines.OnStep) {
  if (CudaProvider.missing() === undefined) return undefined
  const { arch, platform } = process
  if (platform !== "linux" || arch !== "x64") {
    return yield* new CudaNotInstalled({
      reason: `it is published for Linux x64 and this is ${platform} ${arch}; compute on the processor here`
    })
  }
  const python = yield* NativeLibrary.Tool.find(["python3"])
  if (python === undefined) {
    const why = (reason: string) =>
      new CudaNotInstalled({ reason: `there is no Python 3 to fetch its wheel (${reason}); install python3 with pip` })
    return yield* fromNuget(onStep).pipe(Effect.mapError(({ message }) => why(`and from NuGet: ${message}`)))
  }
  return yield* fromWheel(python, onStep).pipe(
    Effect.catch((first) =>
      fromNuget(onStep).pipe(
        Effect.mapError(
          ({ message }) => new CudaNotInstalled({ reason: `${first.message}; and from NuGet: ${message}` })
        )
      )
    )
  )
})

/** Instructions for installing the CUDA libraries that the loader does not find; empty where it finds them all. */
export const remedy = Effect.gen(function* () {
  const path = yield* Path.Path
  if (CudaProvider.missing() !== undefined) return []
  const names = CudaProvider.unresolved().filter((name) => name !== CudaProvider.driver)
  if (names.length === 0) return []
  const folder = path.join(yield* NativeLibrary.cache, "cuda")
  const wheels = [
    "cublas~=13.0",
    "cuda-runtime~=13.0",
    "cuda-nvrtc~=13.0",
    "cufft~=12.0",
    "curand~=10.0",
    "cudnn-cu13~=9.0"
  ]
  const libraries = ["cu13", "cudnn"].map((name) => path.join(folder, "nvidia", name, "lib"))
  return [
    `The provider needs CUDA 13 and cuDNN 9 (${names.join(", ")} not found): install NVIDIA's packages, or (1.3 GB)`,
    `  python3 -m pip install --target ${folder} ${wheels.map((name) => `nvidia-${name}`).join(" ")}`,
    `  export LD_LIBRARY_PATH=${libraries.join(":")}`
  ]
})
