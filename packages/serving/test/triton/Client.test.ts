import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as InferenceServer from "../../src/InferenceServer.ts"
import { models } from "../http/Ask.ts"

/** Runs Python; what it printed, with its errors. */
const python = (...args: ReadonlyArray<string>) =>
  Effect.callback<string>((resume) => {
    execFile(process.env.TRITON_PYTHON ?? "python3", args, (_, said, errors) => resume(Effect.succeed(said + errors)))
  })

// TRITON_PYTHON names a Python with tritonclient[http]==2.73.0; without the package there is nothing to ask with.
it.live(
  "answers Triton's own client",
  () =>
    Effect.gen(function* () {
      if ((yield* python("-c", "import tritonclient.http")) !== "") return
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
