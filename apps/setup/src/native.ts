/**
 * Installs the native library for `Native.mjs`: progress goes to stderr, the outcome to stdout as JSON.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect } from "effect"
import { FetchHttpClient } from "effect/http"
// Only this file of core: during set-up the rest may not load yet.
import * as NativeLibrary from "../../../packages/core/src/engine/tfjs/NativeLibrary.ts"
import * as Progress from "./Progress.mjs"

/** Shows each step on one line, and measures the seconds spent downloading. */
const follow = () => {
  let step: NativeLibrary.Step | undefined
  let line = Progress.make("")
  let began = 0
  let seconds = 0
  const enter = (next: NativeLibrary.Step | undefined) => {
    if (next === step) return
    const now = performance.now()
    if (step !== undefined) line.end()
    if (step === "download") seconds = (now - began) / 1000
    step = next
    began = now
    if (next !== undefined) line = Progress.make(`set-up: native TensorFlow library, ${NativeLibrary.doing[next]}`)
  }
  return {
    at: (next: NativeLibrary.Step, fraction?: number) =>
      Effect.sync(() => {
        enter(next)
        line.at(fraction)
      }),
    end: () => {
      enter(undefined)
      return seconds
    }
  }
}

const program = Effect.gen(function* () {
  const steps = follow()
  const outcome = yield* NativeLibrary.install(steps.at).pipe(
    Effect.map(({ files, tensorflow }) => ({ engine: "native", line: `TensorFlow ${tensorflow}`, files, missing: [] })),
    Effect.catchTag("NativeUnavailable", ({ message, missing }) =>
      Effect.succeed({ engine: "wasm", line: message, files: [], missing })
    )
  )
  const seconds = steps.end()
  process.stdout.write(JSON.stringify({ ...outcome, seconds }))
  process.stdin.destroy()
})

// End of stdin means that set-up was killed: the partial download stays, and the next set-up continues it.
process.stdin.on("end", () => process.exit(1)).resume()

program.pipe(Effect.provide(NodeServices.layer), Effect.provide(FetchHttpClient.layer), NodeRuntime.runMain)
