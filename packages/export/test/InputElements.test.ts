import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { create } from "@bufbuild/protobuf"
import { assert, it } from "@effect/vitest"
import { Circuit, CircuitSpec, Dataset, type Engine, NdArray, Plan, ReferenceEngine, Training } from "@rai/core"
import { Effect, Stream } from "effect"
import { Model, Onnx, Onnxruntime, Predict } from "../src/index.ts"
import { GraphProtoSchema, type TypeProto_Tensor } from "../src/onnx_pb.ts"
import * as InputElements from "../src/read/InputElements.ts"
import * as Folder from "./Folder.ts"

/** Three tokens of an example choose from a table of 5 rows; the answer is the sum of what they choose. */
const tokens = Effect.gen(function* () {
  const input = Model.value("tokens", ["n", 3], "int")
  const graph = create(GraphProtoSchema, {
    name: "tokens",
    input: [input],
    initializer: [
      Model.floats("table.weight", NdArray.make([5, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])),
      Model.integers("axes", [1])
    ],
    node: [
      Model.node("Cast", "small", ["tokens"], "small", { to: Model.DataType.INT32 }),
      Model.node("Gather", "table", ["table.weight", "small"], "chosen"),
      Model.node("ReduceSum", "sum", ["chosen", "axes"], "sum", { keepdims: 0 })
    ],
    output: [Model.value("sum", ["n", 2], "float")]
  })
  const file = join(yield* Folder.make, "tokens.onnx")
  const bytes = Model.encode(graph, { version: "0", metadata: {} })
  yield* Effect.promise(() => writeFile(file, bytes))
  return { bytes, file, input }
})

const among = (...x: ReadonlyArray<number>) => NdArray.make([x.length / 3, 3], [...x])

it.effect("a model of tokens is proved on rows of its table, where its answers differ", () =>
  Effect.gen(function* () {
    const { file } = yield* tokens
    const { circuit, parameters } = yield* Onnx.read(file)
    const origin = { plan: "none", seed: 0, engine: "none", version: "0" }
    const task = "regression"
    const trained = { circuit, parameters, task, inputNames: [], origin } as const
    const { inputs, outputs } = yield* Onnx.write(trained, file.replace("tokens", "again"))
    const drawn = inputs.tokens!.slice(0, 96).flat()
    assert.deepStrictEqual([...new Set(drawn)].sort(), [0, 1, 2, 3, 4])
    const answers = outputs.sum!.freeRun.slice(0, 96)
    assert.deepStrictEqual(
      answers,
      inputs.tokens!.slice(0, 96).map((row) => {
        const sum = row.reduce<number>((of, k) => of + 2 * Number(k) + 1, 0)
        return [sum, sum + 3]
      })
    )
  }).pipe(Effect.provide(ReferenceEngine.layer))
)

it.effect("tokens that onnxruntime refuses are refused on every engine, with their place", () =>
  Effect.gen(function* () {
    const { bytes, file } = yield* tokens
    const whole = "whole numbers from -5 to 4 for int64, which choose from a table of 5 rows"
    const advice = "give what the model was trained on, neither scaled nor standardised"
    for (const wrong of [5, -6, 1.5]) {
      const x = among(0, 1, 2, 3, 4, wrong)
      yield* Effect.flip(Onnxruntime.run(bytes, { tokens: x }))
      for (const predict of [Predict.predict, Predict.onEngine]) {
        const { message } = yield* Effect.flip<unknown, { readonly message: string }, Engine.Engine>(predict(file, x))
        assert.strictEqual(message, `${file}: expected ${whole}, but ${wrong} in row 2, column 3, came; ${advice}`)
      }
    }
    const allowed = among(0, 4, -5)
    const { sum } = (yield* Predict.predict(file, allowed)).outputs
    assert.deepStrictEqual((yield* Predict.onEngine(file, allowed)).outputs.sum!.data, Float64Array.from(sum!.data))
  }).pipe(Effect.provide(ReferenceEngine.layer))
)

it.effect("training refuses them too, from a circuit's file as well", () =>
  Effect.gen(function* () {
    const { file } = yield* tokens
    const { circuit } = yield* Onnx.read(file)
    const kept = yield* CircuitSpec.fromJson(JSON.parse(JSON.stringify(CircuitSpec.toJson(circuit))))
    const plan = Plan.backpropagate({ steps: 1 })
    const targets = NdArray.make([2, 2], [1, 2, 3, 4])
    const data = (inputs: NdArray.NdArray) =>
      Dataset.make({ inputs, targets, task: "regression", inputNames: ["a", "b", "c"] })
    for (const own of [circuit, kept]) {
      const wrong = yield* data(among(0, 1, 2, 3, 4, 99))
      const { message } = yield* Effect.flip(Training.fit(own, wrong, { plan, seed: 0 }))
      assert.strictEqual(
        message,
        "training data, column «c»: expected whole numbers from -5 to 4 for int64, which choose from a table of 5 rows, but 99 came in row 2; give what the network was trained on, neither scaled nor standardised"
      )
    }
    const fine = yield* data(among(0, 1, 2, 3, 4, -1))
    const validation = yield* data(among(0, 1, 2, 0.5, 4, 1))
    const { message } = yield* Effect.flip(Training.fit(circuit, fine, { plan, seed: 0, validation }))
    assert.match(message, /^validation data, column «a»: .* but 0.5 came in row 2;/)
    const parts = { sizes: [2, 2], read: Stream.make(fine, validation) }
    const inBatches = Plan.backpropagate({ epochs: 1, batch: 2 })
    const part = yield* Effect.flip(Training.fit(circuit, fine, { plan: inBatches, seed: 0, parts }))
    assert.match(part.message, /^a part of the training data, column «a»: .* but 0.5 came in row 2;/)
    assert.strictEqual(Circuit.inputs((yield* Training.fit(circuit, fine, { plan, seed: 0 })).circuit), 3)
  }).pipe(Effect.provide(ReferenceEngine.layer))
)

it.effect("types are told apart, and a float32 input has none", () =>
  Effect.gen(function* () {
    const { bytes, file, input } = yield* tokens
    const model = yield* Model.decode(bytes, file)
    const type = model.graph!.input[0]!.type!.value.value as TypeProto_Tensor
    assert.deepStrictEqual(InputElements.of(model, input.name), { type: "int64", rows: 5 })
    type.elemType = Model.DataType.DOUBLE
    assert.deepStrictEqual(InputElements.of(model, input.name), { type: "double", rows: 5 })
    type.elemType = Model.DataType.FLOAT
    assert.isUndefined(InputElements.of(model, input.name))
  })
)
