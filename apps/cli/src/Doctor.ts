/**
 * `rai doctor`: what this machine has.
 */
import { createRequire } from "node:module"
import { availableParallelism, cpus } from "node:os"
import { Engine, version } from "@rai/core"
import * as NativeLibrary from "@rai/core/native"
import { ExecutionProviders } from "@rai/serving"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { FetchHttpClient } from "effect/http"
import * as CudaInstall from "./CudaInstall.ts"
import * as EngineChoice from "./EngineChoice.ts"
import * as Report from "./Report.ts"
import * as StepLines from "./StepLines.ts"

const require = createRequire(import.meta.url)

const engine = (name: EngineChoice.Name) =>
  Engine.Engine.useSync(() => "found").pipe(
    Effect.provide(EngineChoice.table[name]),
    Effect.catch((missing) => Effect.succeed(`not found: ${missing.reason}`)),
    Effect.map((state) => [`engine ${name}`, state] as const)
  )

const nativeLibrary = Effect.gen(function* () {
  const status = yield* NativeLibrary.status
  if (yield* NativeLibrary.isOutdated) return "of an older set-up; rai setup renews it"
  if (Option.isNone(status)) return "not set up; rai setup does"
  return status.value._tag === "Installed"
    ? `${status.value.tensorflow} under tfjs-node ${status.value.tfjsNode}`
    : `not set up: ${status.value.reason}; ${status.value.remedy}`
})

/** The command. */
export const command = Command.make(
  "doctor",
  {
    installCuda: Flag.Boolean("install-cuda").pipe(
      Flag.withDefault(false),
      Flag.withDescription(
        "first fetch the files of onnxruntime's CUDA provider, from the wheel onnxruntime-gpu or else from NuGet, and put them beside onnxruntime's own"
      )
    )
  },
  Effect.fn("doctor")(function* ({ installCuda }) {
    if (installCuda) {
      const source = yield* CudaInstall.install(StepLines.make("doctor: the CUDA provider, "))
      yield* Report.line(
        source === undefined
          ? "the CUDA provider's files are already there"
          : `fetched the CUDA provider's files from ${source}`
      )
    }
    const { version: effect } = require("effect/package.json") as { version: string }
    const libtensorflow = yield* nativeLibrary
    const engines = yield* Effect.forEach(["tfjs-native", "tfjs-wasm", "onnx", "reference"] as const, engine)
    const providers = yield* ExecutionProviders.probe
    const rows: ReadonlyArray<readonly [string, string]> = [
      ["rai", version],
      ["Node", `${process.version} on ${process.platform} ${process.arch}`],
      ["cores", `${availableParallelism()} (${cpus()[0]?.model.trim() ?? "unknown"})`],
      ["effect", effect],
      ["libtensorflow", libtensorflow],
      ...engines,
      ...providers.map(
        ({ detail, found, provider }) =>
          [`provider ${provider.toUpperCase()}`, found ? `found: ${detail}` : `not found: ${detail}`] as const
      )
    ]
    const width = Math.max(...rows.map(([name]) => name.length))
    yield* Effect.forEach(rows, ([name, value]) => Report.line(`${name.padEnd(width)}  ${value}`))
    yield* Effect.forEach(yield* CudaInstall.remedy, Report.line)
  }, Effect.provide(FetchHttpClient.layer))
)
