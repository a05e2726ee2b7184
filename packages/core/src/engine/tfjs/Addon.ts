/**
 * Compiles the native half of tfjs-node from the two C++ files in its package and one of our own that keeps signals away from it, and a small addon
 * that silences it.
 */
import { Effect, FileSystem, Path } from "effect"
import * as Revision from "./Revision.ts"
import * as TensorFlowWheel from "./TensorFlowWheel.ts"
import * as Tool from "./Tool.ts"

/** Suitable compilers, the usual one first. */
export const compilers = ["g++", "c++", "clang++"] as const

const shared = ["-std=c++17", "-O2", "-fPIC", "-shared", "-w"]

// From the package's lib/napi-v8/ to the folder where the libraries are placed.
const rpath = "-Wl,-rpath,$ORIGIN/../../deps/lib"

/** Compiles to a temporary file beside `file`, then renames it. */
const into = Effect.fnUntraced(function* (compiler: string, file: string, args: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const part = `${file}.part`
  yield* Tool.run(compiler, [...shared, ...args, "-o", part, rpath])
  yield* fs.rename(part, file)
})

/** Compiles the addon of the tfjs-node package at `source` against the extracted wheel at `tensorflow`. */
export const compile = Effect.fn("Addon.compile")(function* (
  compiler: string,
  paths: { readonly source: string; readonly tensorflow: string; readonly nodeHeaders: string; readonly file: string }
) {
  const path = yield* Path.Path
  const { file, nodeHeaders, source, tensorflow } = paths
  yield* into(compiler, file, [
    ...["-DNAPI_VERSION=8", "-DBUILDING_NODE_EXTENSION", "-DNODE_GYP_MODULE_NAME=tfjs_binding"],
    ...[`-I${nodeHeaders}`, `-I${path.join(tensorflow, "include")}`],
    ...["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => path.join(source, "binding", name)),
    ...[Revision.signals, "-Wl,--wrap=TFE_NewContext,--wrap=TFE_Execute"],
    ...[`-L${tensorflow}`, ...TensorFlowWheel.libraries.map((name) => `-l:${name}`)]
  ])
})

/** Compiles `quiet.cc`, which is loaded before the addon. */
export const compileQuiet = Effect.fn("Addon.compileQuiet")(function* (compiler: string, file: string) {
  yield* into(compiler, file, [Revision.quiet, "-ldl"])
})
