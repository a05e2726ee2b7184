import type { Worker } from "node:worker_threads"
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as ModelWorker from "../src/worker/ModelWorker.ts"
import { fixtures } from "./Client.ts"
import * as Folder from "./Folder.ts"

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

it.live("says what a model has that the runtime lacks, whatever words its path holds", () =>
  Effect.gen(function* () {
    const folder = yield* Folder.make
    for (const [model, reason] of [
      [
        "bfloat16",
        "it takes or gives a type that onnxruntime has no tensors of in Node, such as bfloat16; cast it to float32 in the model"
      ],
      ["domain", "it uses an operator that this onnxruntime does not have; export it with standard operators"],
      ["no-domain", "it uses operators of a domain that it does not import; add the domain's operator set to it"]
    ] as const) {
      const file = `protobuf/opset/${model}.onnx`
      Folder.put(folder, file, { model: `more/${model}` })
      const opening = ModelWorker.make({ name: "m", model: `${folder}/${file}`, providers: ["cpu"] })
      assert.strictEqual((yield* Effect.flip(opening)).reason, reason)
    }
  }).pipe(Effect.scoped)
)
