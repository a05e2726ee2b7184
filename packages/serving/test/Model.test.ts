import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"
import { InferenceSession, Tensor } from "@rai/onnxruntime"
import { Effect } from "effect"
import * as Model from "../src/Model.ts"
import { fixtures } from "./Client.ts"

const moons = fileURLToPath(new URL("./fixtures/more/parity/moons.onnx", import.meta.url))

it.live("answers without a server as onnxruntime does, many requests at once", () =>
  Effect.gen(function* () {
    const model = yield* Model.open(moons)
    const session = yield* Effect.promise(() => InferenceSession.create(moons))
    const points = Array.from({ length: 40 }, (_, i) => Float32Array.of(Math.sin(i), Math.cos(3 * i)))
    const answers = yield* Effect.forEach(points, (data) => model.infer({ x: { shape: [1, 2], data } }), {
      concurrency: "unbounded"
    })
    for (const [i, answer] of answers.entries()) {
      const bare = yield* Effect.promise(() => session.run({ x: new Tensor("float32", points[i]!, [1, 2]) }))
      assert.sameMembers(Object.keys(answer), Object.keys(bare))
      for (const [name, { data, dims }] of Object.entries(bare)) {
        assert.deepStrictEqual([answer[name]!.data, answer[name]!.shape], [data, dims])
      }
    }
  }).pipe(Effect.scoped)
)

it.live("says what is wrong with its inputs and its file", () =>
  Effect.gen(function* () {
    const model = yield* Model.open(`${fixtures}/sigmoid.onnx`)
    const refusal = (data: Float32Array | Float64Array, shape: ReadonlyArray<number>) =>
      Effect.map(Effect.flip(model.infer({ x: { shape, data } })), ({ message }) => message)
    const wants = (elements: number, shape: string) =>
      `the input "x" of shape [${shape}] wants ${elements} elements in a Float32Array`
    assert.strictEqual(yield* refusal(new Float64Array(2), [1, 2]), `${wants(2, "1, 2")}; 2 in a Float64Array came`)
    assert.strictEqual(yield* refusal(new Float32Array(3), [1, 2]), `${wants(2, "1, 2")}; 3 in a Float32Array came`)
    assert.match(yield* refusal(new Float32Array(3), [1, 3]), /has the shape \[-1, 2\] in the model/)
    assert.match((yield* Effect.flip(model.infer({}))).message, /the input "x" is missing/)
    const none = yield* Effect.flip(Model.open(`${fixtures}/none.onnx`))
    assert.match(none.message, /its file cannot be read/)
  }).pipe(Effect.scoped)
)
