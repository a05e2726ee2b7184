/**
 * `rai setup`: fetches TensorFlow's native library for tfjs-node, which no package includes.
 */
import { join } from "node:path"
import * as NativeLibrary from "@rai/core/native"
import { Effect, Option } from "effect"
import { Command } from "effect/cli"
import { FetchHttpClient } from "effect/http"
import * as Report from "./Report.ts"
import * as StepLines from "./StepLines.ts"

/** The command. */
export const command = Command.make(
  "setup",
  {},
  Effect.fn("setup")(function* () {
    const before = Option.getOrUndefined(yield* NativeLibrary.status)
    const isThere = before?._tag === "Installed"
    if (!isThere) {
      yield* Report.progress(
        `setup: TensorFlow's library for tfjs-node, for the engine tfjs-native; downloads (300 MB) are kept in ${yield* NativeLibrary.cache}`
      )
    }
    const lines = StepLines.make("setup: ")
    const { files, tensorflow, tfjsNode } = isThere
      ? before
      : yield* NativeLibrary.install((step, fraction) => lines(NativeLibrary.doing[step], fraction))
    const folder = join(files[0]!, "..", "..", "..") // of tfjs-node: all lies in its lib/napi-v8 and deps/lib
    const state = isThere ? "already set up" : "set up"
    yield* Report.line(`${state}: TensorFlow ${tensorflow} under tfjs-node ${tfjsNode}, in ${folder}`)
  }, Effect.provide(FetchHttpClient.layer))
)
