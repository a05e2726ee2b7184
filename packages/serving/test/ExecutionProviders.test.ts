import { assert, it } from "@effect/vitest"
import { env } from "@rai/onnxruntime"
import { Effect } from "effect"
import * as ExecutionProviders from "../src/worker/ExecutionProviders.ts"

it.live("finds the CPU provider and says in one line whether there is a CUDA provider", () =>
  Effect.gen(function* () {
    const [cpu, cuda] = yield* ExecutionProviders.probe
    assert.deepStrictEqual(cpu, { provider: "cpu", found: true, detail: `onnxruntime ${env.versions.node}` })
    assert.strictEqual(cuda?.provider, "cuda")
    assert.notMatch(cuda?.detail ?? "", /[/\\\n]/)
    // The library reads this process's environment, not a thread's copy.
    assert.strictEqual(process.env.ORT_DISABLE_TELEMETRY, "1")
  })
)

it("explains what onnxruntime says of CUDA", () => {
  const explain = (text: string) => ExecutionProviders.explain({ provider: "cuda", text })
  assert.strictEqual(
    explain("not in this build"),
    `onnxruntime has no CUDA provider for ${process.platform} on ${process.arch}`
  )
  assert.strictEqual(
    explain("CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; file=/onnxruntime_src/x.cc"),
    "no NVIDIA GPU with a fitting driver was found"
  )
  assert.strictEqual(explain("Node (Foo) Op (Bar) failed"), "the CUDA provider does not take the model")
})
