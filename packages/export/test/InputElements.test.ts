import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { create } from "@bufbuild/protobuf"
import { assert, it } from "@effect/vitest"
import { NdArray, ReferenceEngine } from "@rai/core"
import { Effect } from "effect"
import { Model, Onnx } from "../src/index.ts"
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
