/**
 * `rai setup`: fetches TensorFlow's native library for tfjs-node, which no package includes.
 */
import { join } from "node:path"
import * as NativeLibrary from "@rai/core/native"
import { Effect, Option } from "effect"
import { Command } from "effect/cli"
import { FetchHttpClient } from "effect/http"
import * as Report from "./Report.ts"

/** Prints a line as each step begins, and one at every fifth of a download. */
const follow = (): NativeLibrary.OnStep => {
  let last = ""
  return (step, fraction) => {
    const share = fraction === undefined || fraction < 0.2 ? "" : ` ${20 * Math.floor(5 * fraction)} %`
    const line = `setup: ${NativeLibrary.doing[step]} …${share}`
    if (line === last) return Effect.void
    last = line
    return Report.progress(line)
  }
}

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
    const { files, tensorflow, tfjsNode } = isThere ? before : yield* NativeLibrary.install(follow())
    const folder = join(files[0]!, "..", "..", "..") // of tfjs-node: all lies in its lib/napi-v8 and deps/lib
    const state = isThere ? "already set up" : "set up"
    yield* Report.line(`${state}: TensorFlow ${tensorflow} under tfjs-node ${tfjsNode}, in ${folder}`)
  }, Effect.provide(FetchHttpClient.layer))
)
