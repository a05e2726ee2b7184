/**
 * tfjs-node's native half, compiled from the two C++ files that its package carries.
 */
import { Effect, FileSystem, Path } from "effect"
import * as TensorFlowWheel from "./TensorFlowWheel.ts"
import * as Tool from "./Tool.ts"

/** Compilers that will do, the usual one first. */
export const compilers = ["g++", "c++", "clang++"] as const

/** Compiles the addon of the tfjs-node package at `source` against the extracted wheel at `tensorflow` into `file`, written beside, then renamed. */
export const compile = Effect.fn("Addon.compile")(function* (
  compiler: string,
  paths: { readonly source: string; readonly tensorflow: string; readonly nodeHeaders: string; readonly file: string }
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const part = `${paths.file}.part`
  yield* Tool.run(compiler, [
    ...["-std=c++17", "-O2", "-fPIC", "-shared", "-w"],
    ...["-DNAPI_VERSION=8", "-DBUILDING_NODE_EXTENSION", "-DNODE_GYP_MODULE_NAME=tfjs_binding"],
    ...[`-I${paths.nodeHeaders}`, `-I${path.join(paths.tensorflow, "include")}`],
    ...["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => path.join(paths.source, "binding", name)),
    ...["-o", part, `-L${paths.tensorflow}`, ...TensorFlowWheel.libraries.map((name) => `-l:${name}`)],
    "-Wl,-rpath,$ORIGIN/../../deps/lib" // from lib/napi-v8/ of the package to where the libraries are placed
  ])
  yield* fs.rename(part, paths.file)
})
