import { execFile, spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as InferenceServer from "../../src/InferenceServer.ts"
import { models } from "../http/Ask.ts"

const program = process.env.TRITON_PYTHON ?? "python3"

/** Runs Python and returns its output, errors included. */
const python = (...args: ReadonlyArray<string>) =>
  Effect.callback<string>((resume) => {
    execFile(program, args, (_, said, errors) => resume(Effect.succeed(said + errors)))
  })

// TRITON_PYTHON names a Python with tritonclient[http]==2.73.0; without the package the test is skipped.
const possible = spawnSync(program, ["-c", "import tritonclient.http"]).status === 0

it.live.runIf(possible)(
  "answers Triton's own client",
  () =>
    Effect.gen(function* () {
      const said = yield* Effect.gen(function* () {
        const { url } = yield* InferenceServer.InferenceServer
        const script = fileURLToPath(new URL("client.py", import.meta.url))
        return yield* python(script, new URL(url).host, `${models}/simple_int8/1/model.onnx`)
      }).pipe(
        Effect.provide(
          InferenceServer.layer({
            repository: models,
            port: 0,
            executionProviders: ["cpu"],
            access: { admin: "open" }
          })
        )
      )
      assert.strictEqual(said, "every answer is as it should be\n")
    }),
  60_000
)
