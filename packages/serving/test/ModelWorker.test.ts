import type { Worker } from "node:worker_threads"
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as ModelWorker from "../src/worker/ModelWorker.ts"
import { fixtures } from "./Client.ts"

it.live("fails what waits when its thread dies, and what comes after", () =>
  Effect.gen(function* () {
    const thread = yield* Effect.callback<Worker>((resume) => {
      process.once("worker", (worker) => resume(Effect.succeed(worker)))
    }).pipe(Effect.forkChild({ startImmediately: true }))
    const model = `${fixtures}/sigmoid.onnx`
    const worker = yield* ModelWorker.make({ name: "sigmoid", model, providers: ["cpu"] })
    const run = Effect.suspend(() =>
      ModelWorker.compute(worker, [{ name: "x", type: "float32", dims: [1, 2], data: new Float32Array(2) }], ["y"])
    )
    assert.lengthOf((yield* run).outputs, 1)
    // No message that the thread knows: a fault in it, just before the next one arrives.
    ;(yield* Fiber.join(thread)).postMessage(null)
    assert.strictEqual((yield* Effect.flip(run))._tag, "WorkerStopped")
    yield* worker.stopped
    assert.strictEqual((yield* Effect.flip(run))._tag, "WorkerStopped")
  }).pipe(Effect.scoped)
)
