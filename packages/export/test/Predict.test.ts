import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { create, toBinary } from "@bufbuild/protobuf"
import { assert, describe, it } from "@effect/vitest"
import { Circuit, type Engine, NdArray, Program, ReferenceEngine } from "@rai/core"
import { Effect } from "effect"
import * as Graph from "../src/Graph.ts"
import * as Model from "../src/Model.ts"
import * as ModelFile from "../src/ModelFile.ts"
import * as Onnx from "../src/Onnx.ts"
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  ModelProtoSchema,
  type TypeProto_Tensor,
  TypeProtoSchema
} from "../src/onnx_pb.ts"
import * as Predict from "../src/Predict.ts"
import * as Folder from "./Folder.ts"

const written = (bytes: Uint8Array | string) =>
  Effect.gen(function* () {
    const file = join(yield* Folder.make, "m.onnx")
    yield* Effect.promise(() => writeFile(file, bytes))
    return file
  })

const line = Onnx.make({
  circuit: Circuit.linear(2, 1),
  parameters: { weight: NdArray.make([2, 1], [1, -1]), bias: NdArray.make([1], [0.5]) },
  task: "binary",
  inputNames: ["left", "right"],
  classNames: ["low", "high"],
  origin: { plan: "by hand", seed: 0, engine: "none", version: "0.1.0" }
})

describe("Predict.predict", () => {
  it.effect("answers x W + b by hand, with the names that the model bears", () =>
    Effect.gen(function* () {
      const file = yield* written(yield* line)
      const found = yield* Predict.predict(file, NdArray.make([2, 2], [3, 1, 0, 0.5]))
      assert.deepStrictEqual(found.outputs.logit, { shape: [2, 1], data: Float32Array.of(2.5, 0) })
      assert.closeTo(found.outputs.probability!.data[0]!, 0.924142, 1e-6)
      assert.strictEqual(found.outputs.probability!.data[1], 0.5)
      assert.strictEqual(found.task, "binary")
      assert.deepStrictEqual(found.inputNames, ["left", "right"])
      assert.deepStrictEqual(found.classNames, ["low", "high"])
    })
  )

  it.effect("takes a model of another program, without names", () =>
    Effect.gen(function* () {
      const program = yield* Program.make({ z: ["n", 3] }, ({ z }) => ({ total: z.sum([1]) }))
      const file = yield* written(Model.encode(yield* Graph.fromProgram(program), { version: "0", metadata: {} }))
      const found = yield* Predict.predict(file, NdArray.make([1, 3], [1, 2, 3]))
      assert.deepStrictEqual(found.outputs, { total: { shape: [1, 1], data: Float32Array.of(6) } })
      assert.isUndefined(found.task)
    })
  )

  it.effect("inputs of another width, and a file that is no model, get one line", () =>
    Effect.gen(function* () {
      const refusal = (file: string) =>
        Effect.map(Effect.flip(Predict.predict(file, NdArray.make([1, 3], [1, 2, 3]))), ({ message }) =>
          message.slice(message.lastIndexOf("/") + 1)
        )
      assert.strictEqual(
        yield* refusal(yield* written(yield* line)),
        "m.onnx: expected inputs [batch, 2] (left, right), but [1, 3] came; give one column for each input of the model"
      )
      assert.strictEqual(
        yield* refusal(yield* written("words")),
        "m.onnx: expected an ONNX model, but its bytes are something else; export it again with `rai export`"
      )
    })
  )

  it.effect("another number of examples than the model takes is told", () =>
    Effect.gen(function* () {
      const program = yield* Program.make({ z: [5, 3] }, ({ z }) => ({ y: z.tanh() }))
      const file = yield* written(Model.encode(yield* Graph.fromProgram(program), { version: "0", metadata: {} }))
      const { message } = yield* Effect.flip(Predict.predict(file, NdArray.make([1, 3], [1, 2, 3])))
      assert.strictEqual(
        message,
        `${file}: expected inputs of exactly 5 examples, but 1 came; give as many, or write a model that takes any number with rai export`
      )
    })
  )

  it.effect("a model that onnxruntime refuses gets one line without onnxruntime's text", () =>
    Effect.gen(function* () {
      const program = yield* Program.make({ z: ["n", 3] }, ({ z }) => ({ y: z.tanh() }))
      const graph = yield* Graph.fromProgram(program)
      graph.node[0]!.opType = "NoSuchOperator"
      const file = yield* written(Model.encode(graph, { version: "0", metadata: {} }))
      const { message } = yield* Effect.flip(Predict.predict(file, NdArray.make([1, 3], [1, 2, 3])))
      assert.strictEqual(
        message,
        `${file}: expected a model that onnxruntime can read, but it refused this one; export it again with \`rai export\``
      )
    })
  )

  it.effect(
    "gives a model its numbers in the type that it takes, on either engine, or says that it holds none such",
    () =>
      Effect.gen(function* () {
        const { BOOL, DOUBLE, INT32, INT64, INT8, UINT64, UINT8 } = Model.DataType
        const cast = (of: GraphProto, type: number) => {
          const tensor = of.input[0]!.type!.value.value as TypeProto_Tensor
          tensor.elemType = type
          of.node[0]!.input[0] = "cast"
          of.node.unshift(Model.node("Cast", "Cast", ["z"], "cast", { to: Model.DataType.FLOAT }))
        }
        const program = yield* Program.make({ z: ["n", 3] }, ({ z }) => ({ total: z.sum([1]) }))
        for (const type of [DOUBLE, INT64, UINT64, INT32, INT8, UINT8, BOOL]) {
          const graph = yield* Graph.fromProgram(program)
          cast(graph, type)
          const file = yield* written(Model.encode(graph, { version: "0", metadata: {} }))
          for (const predict of [Predict.predict, Predict.onEngine]) {
            const { outputs } = yield* predict(file, NdArray.make([2, 3], [1, 0, 1, 1, 0, 0]))
            assert.deepStrictEqual(Array.from(outputs.total!.data), [2, 1])
          }
          if (type === DOUBLE) continue
          for (const none of [0.5, Number.NaN, 2 ** 70]) {
            for (const predict of [Predict.predict, Predict.onEngine]) {
              const { message } = yield* Effect.flip<unknown, { readonly message: string }, Engine.Engine>(
                predict(file, NdArray.make([2, 3], [1, 0, 1, 1, none, 0]))
              )
              assert.match(message, /: expected whole numbers from -?\d+ to \d+ for \w+, but /)
              assert.include(message, `${Math.fround(none)} in row 2, column 2, came; give what`)
            }
          }
        }
      }).pipe(Effect.provide(ReferenceEngine.layer))
  )

  it.effect("of a map for each example, as scikit-learn writes one, the numbers", () =>
    Effect.gen(function* () {
      const named = fileURLToPath(new URL("networks/sklearn-classifier-named.onnx", import.meta.url))
      const x = NdArray.make([2, 4], [5, 3, 1, 0, 6, 3, 5, 2])
      const { probabilities } = (yield* Predict.predict(named, x)).outputs
      const model = yield* Model.decode(yield* ModelFile.read(named), named)
      const graph = model.graph!
      const map = Model.node("ZipMap", "ZipMap", ["probabilities"], "output_probability")
      map.domain = "ai.onnx.ml"
      map.attribute = [
        create(AttributeProtoSchema, {
          name: "classlabels_int64s",
          type: AttributeProto_AttributeType.INTS,
          ints: [0n, 1n, 2n]
        })
      ]
      graph.node.push(map)
      const output = graph.output.find(({ name }) => name === "probabilities")!
      const float = { value: { case: "tensorType", value: { elemType: Model.DataType.FLOAT } } } as const
      output.name = "output_probability"
      output.type = create(TypeProtoSchema, {
        value: {
          case: "sequenceType",
          value: {
            elemType: { value: { case: "mapType", value: { keyType: Model.DataType.INT64, valueType: float } } }
          }
        }
      })
      const file = yield* written(toBinary(ModelProtoSchema, model))
      assert.deepStrictEqual((yield* Predict.predict(file, x)).outputs, { output_probability: probabilities! })
    })
  )

  it.effect("texts are no numbers: classes by name are left out, and a model of texts alone says so", () =>
    Effect.gen(function* () {
      const named = fileURLToPath(new URL("networks/sklearn-classifier-named.onnx", import.meta.url))
      const x = NdArray.make([2, 4], [5, 3, 1, 0, 6, 3, 5, 2])
      const { outputs } = yield* Predict.predict(named, x)
      assert.deepStrictEqual(Object.keys(outputs), ["probabilities"])
      const model = yield* Model.decode(yield* ModelFile.read(named), named)
      model.graph!.output = model.graph!.output.filter(({ name }) => name === "label")
      const file = yield* written(toBinary(ModelProtoSchema, model))
      const { message } = yield* Effect.flip(Predict.predict(file, x))
      assert.strictEqual(
        message,
        `${file}: expected a model with an output of numbers, but its outputs are texts; give one that tells probabilities or values`
      )
    })
  )
})
