import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as InferenceServer from "../src/InferenceServer.ts"
import { call, fixtures } from "./Client.ts"

/** Makes a folder with copies of fixtures (`name → fixture`), or with the text where no fixture has that name; removed with the scope. */
const folder = (files: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const root = mkdtempSync(join(tmpdir(), "models-"))
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(dirname(join(root, name)), { recursive: true })
        if (content.endsWith(".onnx")) copyFileSync(join(fixtures, content), join(root, name))
        else writeFileSync(join(root, name), content)
      }
      return root
    }),
    (root) => Effect.sync(() => rmSync(root, { recursive: true }))
  )

const refusal = (repository: string, port = 0) =>
  Effect.void.pipe(
    Effect.provide(InferenceServer.layer({ repository, port })),
    Effect.flip,
    Effect.map((failure) => failure.message)
  )

it.live("serves one file, a folder, and Triton's layout in its latest version", () =>
  Effect.gen(function* () {
    const root = yield* folder({
      "flat.onnx": "sigmoid.onnx",
      "notes.txt": "not a model",
      "deep/2/model.onnx": "reshape.onnx",
      "deep/10/model.onnx": "sigmoid.onnx",
      "deep/11/readme": "no model here",
      "empty/readme": "nor here"
    })
    yield* Effect.gen(function* () {
      assert.strictEqual((yield* call("/v2/models/flat/versions/1/ready")).status, 200)
      assert.deepStrictEqual((yield* call("/v2/models/deep")).body.versions, ["10"])
      assert.strictEqual((yield* call("/v2/models/deep/versions/10/ready")).status, 200)
      assert.strictEqual((yield* call("/v2/models/deep/versions/2/ready")).status, 404)
      assert.strictEqual((yield* call("/v2/models/empty")).status, 404)
    }).pipe(Effect.provide(InferenceServer.layer({ repository: root, port: 0 })))
    yield* Effect.gen(function* () {
      assert.strictEqual((yield* call("/v2/models/flat/ready")).status, 200)
    }).pipe(Effect.provide(InferenceServer.layer({ repository: join(root, "flat.onnx"), port: 0 })))
  }).pipe(Effect.scoped)
)

it.live("says in one line why a repository cannot be served", () =>
  Effect.gen(function* () {
    const expected = (root: string, rest: string) =>
      `the repository "${root}": expected a .onnx file or a folder of .onnx files, but ${rest}`
    assert.strictEqual(yield* refusal("/nowhere"), expected("/nowhere", "nothing readable is there; give another path"))
    const empty = yield* folder({ "notes.txt": "no model" })
    const nothing = "no model is there; put one there or give another path"
    assert.strictEqual(yield* refusal(empty), expected(empty, nothing))
    assert.strictEqual(yield* refusal(join(empty, "notes.txt")), expected(join(empty, "notes.txt"), nothing))
    const twice = yield* folder({ "a.onnx": "sigmoid.onnx", "a/1/model.onnx": "sigmoid.onnx" })
    assert.strictEqual(
      yield* refusal(twice),
      'the model "a" cannot be served as it lies in the repository: a folder "a" and a file "a.onnx" are there; rename or remove one of the two'
    )
    const broken = yield* folder({ "a.onnx": "sigmoid.onnx", "broken.onnx": "this is not a model" })
    assert.strictEqual(
      yield* refusal(broken),
      'the model "broken": expected one that onnxruntime can run, but the file is not an ONNX model; export one again'
    )
    const hidden = yield* folder({ "a.onnx": "sigmoid.onnx", "stats/1/model.onnx": "sigmoid.onnx" })
    assert.strictEqual(
      yield* refusal(hidden),
      'the model "stats": expected one that onnxruntime can run, but its name is taken: /v2/models/stats are the statistics of all models; give it another'
    )
  }).pipe(Effect.scoped)
)

it.live("says in one line that a port is taken", () =>
  Effect.gen(function* () {
    const port = yield* Effect.acquireRelease(
      Effect.callback<{ readonly port: number; readonly close: () => void }>((resume) => {
        const server = createServer().listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = typeof address === "object" && address !== null ? address.port : 0
          resume(Effect.succeed({ port, close: () => server.close() }))
        })
      }),
      ({ close }) => Effect.sync(close)
    ).pipe(Effect.map(({ port }) => port))
    assert.strictEqual(
      yield* refusal(fixtures, port),
      `expected to listen on 127.0.0.1:${port}, but another program has that port; give another host or port (0 takes a free one)`
    )
  }).pipe(Effect.scoped)
)
