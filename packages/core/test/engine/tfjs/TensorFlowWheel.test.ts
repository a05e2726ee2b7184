import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Path } from "effect"
import * as TensorFlowWheel from "../../../src/engine/tfjs/TensorFlowWheel.ts"
import * as Tool from "../../../src/engine/tfjs/Tool.ts"

const python = await Effect.runPromise(Tool.find(["python3"]).pipe(Effect.provide(NodeServices.layer)))

const members = {
  "tensorflow/libtensorflow_cc.so.2": "cc",
  "tensorflow/libtensorflow_framework.so.2": "framework",
  "tensorflow/include/tensorflow/c/c_api.h": "c_api",
  "tensorflow/include/Eigen/Core.h": "not needed",
  "tensorflow/python/x.py": "not needed"
}

/** Writes a miniature wheel with Python's own zipfile. */
const wheel = Effect.fnUntraced(function* (folder: string) {
  const file = (yield* Path.Path).join(folder, "small.whl")
  const script =
    "import json, sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as z:\n  for n, t in json.loads(sys.argv[2]).items(): z.writestr(n, t)"
  yield* Tool.run(python ?? "", ["-c", script, file, JSON.stringify(members)])
  return file
})

layer(NodeServices.layer, { excludeTestServices: true })("TensorFlowWheel", (it) => {
  it.effect.skipIf(python === undefined)("extracts the libraries and C headers alone, and removes the wheel", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const folder = yield* fs.makeTempDirectoryScoped()
      const file = yield* wheel(folder)
      const into = path.join(folder, "extracted")
      // What a killed run left beside.
      yield* fs.makeDirectory(`${into}.part`)
      yield* fs.writeFileString(path.join(`${into}.part`, "libtensorflow_cc.so.2"), "half")

      yield* TensorFlowWheel.extract(python ?? "", file, into)
      const found = (yield* fs.readDirectory(into, { recursive: true }))
        .filter((name) => /\.(h|2|py)$/.test(name))
        .sort()
      assert.deepEqual(found, ["include/tensorflow/c/c_api.h", "libtensorflow_cc.so.2", "libtensorflow_framework.so.2"])
      assert.strictEqual(yield* fs.readFileString(path.join(into, "libtensorflow_cc.so.2")), "cc")
      assert.deepEqual(yield* fs.readDirectory(folder), ["extracted"])
    })
  )

  it.effect.skipIf(python === undefined)("leaves nothing under the folder's name when it cannot end", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* fs.makeTempDirectoryScoped()
      const file = yield* wheel(folder)
      yield* fs.truncate(file, 100)
      const into = (yield* Path.Path).join(folder, "extracted")
      const error = yield* TensorFlowWheel.extract(python ?? "", file, into).pipe(Effect.flip)
      assert.include(error.message, "BadZipFile")
      assert.isFalse(yield* fs.exists(into))
    })
  )
})
